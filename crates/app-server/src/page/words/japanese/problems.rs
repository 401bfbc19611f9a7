//! Problems in Japanese.

use domain::jobs::JobStateName;

use super::counts::wait;
use crate::page::words::Said;
use crate::problem::Problem;

#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn problem(problem: &Problem) -> Said {
    let (title, text) = match problem {
        Problem::Unauthenticated { .. } => (
            "ログインしてください",
            "このページはログインした人だけのものです。".to_owned(),
        ),
        Problem::Forbidden => (
            "UForge が利用を許可していません",
            "UForge はこのログイン名を知っていますが、このアカウントに自分のデータを読むことを許可していません。UForge の管理者にお問い合わせください。".to_owned(),
        ),
        Problem::ForbiddenPerson => (
            "UForge はこの人を表示しません",
            "UForge があなたにこの人のデータを読むことを許可していないか、そのような人がいません。".to_owned(),
        ),
        Problem::InvalidLogin { .. } => (
            "ログイン名として使えません",
            "特殊な文字を含まない、あなた自身の UForge ログイン名を入力してください。ほかの人としてログインすることはできません。".to_owned(),
        ),
        Problem::InvalidForm | Problem::InvalidJson { .. } | Problem::NotDeclaredJson | Problem::InvalidKey { .. } => (
            "フォームを読み取れませんでした",
            "前のページに戻り、再読み込みして、もう一度入力してください。".to_owned(),
        ),
        Problem::InvalidOrder { .. } => (
            "エクスポートするものがありません",
            "入力された内容ではエクスポートするものがないか、内容が矛盾しています。前のページに戻り、少なくとも 1 種類のデータを選んでください。".to_owned(),
        ),
        Problem::InvalidQuery { .. } => (
            "一覧のこの部分はありません",
            "最初のページからやり直してください。".to_owned(),
        ),
        Problem::CrossOrigin => (
            "このページから送られたものではありません",
            "別のサイトのページから送られたか、ブラウザーが送信元を伝えていません。何も実行されませんでした。".to_owned(),
        ),
        Problem::TooManyStreams { limit } => (
            "開いているページが多すぎます",
            format!("自動的に更新できるページは同時に {limit} 個までです。いくつか閉じてください。"),
        ),
        Problem::TooManyAttempts { wait: time } => (
            "誤ったパスワードが多すぎます",
            format!("{}待ってから、もう一度お試しください。", wait(*time)),
        ),
        Problem::PlatformUnavailable { .. } => (
            "UForge が応答しません",
            "本人かどうかを UForge に確認できませんでした。完成したエクスポートは安全です。しばらくしてからもう一度お試しください。".to_owned(),
        ),
        Problem::UnknownPath | Problem::MethodNotAllowed => (
            "ここには何もありません",
            "アドレスが間違っているか、ここにあったものはもうありません。".to_owned(),
        ),
        Problem::UnknownExport => (
            "そのようなエクスポートはありません",
            "あなたのエクスポートにこのアドレスのものはありません。別のログイン名でログインしているかもしれません。".to_owned(),
        ),
        Problem::OthersExport => (
            "ほかの人のエクスポートです",
            "取得、削除、やり直しができるのは、データの本人と、依頼した管理者だけです。".to_owned(),
        ),
        Problem::UnknownCampaign => (
            "そのような一括エクスポートはありません",
            "アドレスが間違っているかもしれません。".to_owned(),
        ),
        Problem::CampaignOver => (
            "この一括エクスポートは終わっています",
            "すべてのエクスポートが終わったか、中止されました。新しく依頼してください。".to_owned(),
        ),
        Problem::OthersCampaign => (
            "この一括エクスポートは別の人が依頼したものです",
            "失敗したエクスポートをやり直せるのは、依頼した管理者だけです。".to_owned(),
        ),
        Problem::NothingToRetry => (
            "やり直せるものはありません",
            "失敗したエクスポートがないか、途中の結果がもう残っていません。対象の人について新しく依頼してください。".to_owned(),
        ),
        Problem::BodyTooLarge { .. } => (
            "大きすぎます",
            "フォームが受け付けられる大きさを超えています。".to_owned(),
        ),
        Problem::UnclearHost => (
            "ブラウザーが宛先を示しませんでした",
            "送られた内容にこのサービスのアドレスがありませんでした。別のブラウザーでお試しください。".to_owned(),
        ),
        Problem::HeadersTooLarge { .. } => (
            "リクエストが大きすぎます",
            "このサイトの Cookie を削除して、もう一度お試しください。".to_owned(),
        ),
        Problem::BodyIncomplete => (
            "フォームが届きませんでした",
            "接続が切れたか、遅すぎました。もう一度お試しください。".to_owned(),
        ),
        Problem::NotReady { .. } => (
            "ファイルはまだ準備できていません",
            "エクスポートは終わっていません。そのページで進み具合を確認できます。".to_owned(),
        ),
        Problem::Gone { state } => (
            "ファイルはもうありません",
            match state {
                JobStateName::Failed => "エクスポートは失敗しました。理由はそのページにあります。",
                JobStateName::Expired => "約束された期間保管されました。新しいコピーを請求できます。",
                _ => "削除または中止されました。新しいコピーを請求できます。",
            }
            .to_owned(),
        ),
        Problem::NoReceipt => (
            "受領証はありません",
            "受領証の導入前に作成されたエクスポートか、このサービスでは署名が行われていません。".to_owned(),
        ),
        Problem::OtherArchive => (
            "ファイルが別のものになっています",
            "ダウンロードを最初からやり直してください。".to_owned(),
        ),
        Problem::RangeNotSatisfiable { .. } => (
            "ファイルにその部分はありません",
            "ダウンロードを最初からやり直してください。".to_owned(),
        ),
        Problem::TooManyExports { limit } => (
            "進行中のエクスポートが多すぎます",
            format!("同時に進められるエクスポートは {limit} 件までです。終わるのを待つか、どれかを中止してください。"),
        ),
        Problem::TooManyOrders { limit, wait: time } => (
            "今日の請求が多すぎます",
            format!("1 日に請求できるエクスポートは {limit} 件までです。次は {}後に請求できます。", wait(*time)),
        ),
        Problem::TooManyArchives { wait: time, .. } => (
            "保管されているファイルが多すぎます",
            format!("先にファイルを 1 つ削除するか、最初のファイルが期限切れになるまで {}お待ちください。", wait(*time)),
        ),
        Problem::KeyReused => (
            "すでに請求されています",
            "別のものを請求する前に、ページを再読み込みしてください。".to_owned(),
        ),
        Problem::NotResumable { state } => (
            "このエクスポートは再試行できません",
            match state {
                JobStateName::Failed => "途中の結果はもう保管されていません。新しいコピーを請求してください。",
                _ => "再試行できるのは失敗したエクスポートだけです。",
            }
            .to_owned(),
        ),
        Problem::NotAdministrator => (
            "管理者専用です",
            "管理者はこのサービスの運用者が指定します。".to_owned(),
        ),
        Problem::Busy => (
            "サービスが混み合っています",
            "しばらくしてからもう一度お試しください。".to_owned(),
        ),
        Problem::NoSpace => (
            "サービスのディスクに空きがありません",
            "失われるものはありません。保管中のものは引き続きダウンロードできます。しばらくしてからもう一度ご請求ください。".to_owned(),
        ),
        Problem::Stopping => (
            "サービスは再起動中です",
            "1 分後にもう一度お試しください。失われるものはありません。".to_owned(),
        ),
        Problem::Internal => (
            "こちらで問題が起きました",
            "サービス自身の不具合です。運用者がログで原因を確認できます。もう一度お試しください。".to_owned(),
        ),
    };
    Said { title, text }
}
