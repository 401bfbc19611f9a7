//! Japanese.

mod counts;
mod problems;
mod sections;

use domain::jobs::{AuditAction, CampaignPhase, JobStateName, Phase, WaitingFor};
use domain::model::BagFormat;
use domain::ports::{ItemStage, RedactionRule};
use domain::report::{Completeness, SectionStatus, Stage, grouped, human_bytes};

use super::Words;
use counts::campaign_for;

/// Japanese. Nothing in it has a plural.
pub(crate) static JAPANESE: Words = Words {
    product: "UForge データエクスポート",
    between: " · ",
    skip: "本文へ移動",
    main_navigation: "メインナビゲーション",
    my_exports: "自分のエクスポート",
    everybody: "全員のエクスポート",
    trail: "監査ログ",
    signed_in_as: "ログイン中：",
    sign_out: "ログアウト",
    language: "言語",
    for_programs: "プログラム用インターフェース",

    welcome: "UForge のデータのコピーを受け取る",
    welcome_text: "UForge のログイン名でログインしてください。ここでデータを請求し、準備ができたらまた来て、すべてが入った検証済みのファイルを 1 つダウンロードします。",
    login: "UForge ログイン名",
    password: "パスワード",
    sign_in: "ログイン",
    password_note: "パスワードは UForge が確認します。読める形でディスクに書き込まれることはありません。",
    session_over: "セッションが終了しました。もう一度ログインしてください。",
    refused: "ログインできませんでした",
    refused_text: "UForge がこのログイン名とパスワードを受け付けませんでした。両方を確かめて、もう一度お試しください。",

    ask_title: "コピーを請求する",
    ask_text: "UForge が保持しているあなたのデータと、あなたが作成したものすべてが入ったファイルを 1 つ受け取れます。作成中にこのページを開いておく必要はありません。",
    what: "何を入れますか？",
    everything: "すべて",
    everything_text: "すべての種類のデータ。UForge が渡す範囲で完全な内容です。",
    some: "選んだものだけ",
    some_text: "下でデータの種類を選んでください。",
    kinds: "データの種類",
    file_format: "ファイル",
    format,
    redact: "パスワードと鍵を空白にする",
    redact_text: "文書の中だけです。アプライアンスとソフトウェアのアーカイブはそのままです。",
    for_whom: "誰のためですか？",
    for_whom_text: "その人の UForge ログイン名。自分のデータの場合は空のままにしてください。",
    options: "ファイル形式など",
    ask: "コピーを請求する",

    exports_title: "自分のエクスポート",
    no_exports: "まだ何も請求していません。",
    export_of: |moment| format!("{moment}のエクスポート"),
    details: "詳細",
    newest: "最新",
    older: "以前のもの",
    pages: "ページ",

    state,
    state_text,
    phase,
    waiting,
    tried_again_at: |moment| format!("{moment}に自動的に再試行されます。"),
    whose: "データの本人",
    asked_by: "請求者",
    asked: "請求日時",
    due: "期限",
    due_text: "請求から 1 か月後",
    overdue: "期限超過",
    begun: "開始",
    finished: "終了",
    available_until: "ダウンロード期限",
    asked_for: "内容",
    kinds_of_data: |number| format!("{number} 種類のデータ"),
    redacted_order: "パスワードと鍵は空白",

    progress_title: "進み具合",
    steps: "手順",
    step_names: ["請求", "一覧", "取得", "確認", "完了"],
    archives_done: |done, planned| {
        format!("アーカイブ {} 件中 {} 件", grouped(planned), grouped(done))
    },
    archives_failed: |number| format!("取得できなかったもの {} 件", grouped(number)),
    lists_read: |number| format!("一覧 {} 件を読み取り済み", grouped(number)),
    documents_done: |number| format!("文書 {} 件", grouped(number)),
    bytes_so_far: |bytes| format!("これまでに {}", human_bytes(bytes)),
    stage,
    under_way: "処理中",
    not_available_yet: "UForge が渡さないもの",
    look_again: "表示を更新",
    live: "このページは自動的に更新されます。",

    verdict: |completeness| match completeness {
        Completeness::Complete => "完全です。",
        Completeness::Partial => "一部です。",
    },
    verdict_text: |completeness, missing| match (completeness, missing) {
        (Completeness::Complete, 0) => "請求されたものはすべて入っています。".to_owned(),
        (Completeness::Complete, _) => {
            "UForge が渡すものはすべて入っています。渡さないものは下に示します。".to_owned()
        }
        (Completeness::Partial, 0) => "請求されたものの一部が取得できませんでした。".to_owned(),
        (Completeness::Partial, number) => {
            format!(
                "{} 件が取得できませんでした。下に示します。",
                grouped(number)
            )
        }
    },
    download: "ダウンロード",
    checksum: "ファイルの SHA-256",
    check_title: "ファイルの確認方法",
    check_text: "ダウンロードしたファイルの SHA-256 をターミナルで計算してください。上の値と同じでなければなりません。",
    check_all: "次のコマンドは、中のファイルもすべて確認します：",
    receipt_title: "受領証",
    receipt_text: "ファイルがこのサービスから渡されたものと同一で、変更されていないことを後で示せます。ファイルがなくなった後もここに残ります。",
    receipt: "受領証をダウンロード",
    signature: "署名をダウンロード",
    check_receipt: "次のコマンドは、ファイルを受領証と照合します：",
    contents_title: "入っているもの",
    bytes_by_kind: "データの種類ごとのサイズ",
    kind_of_data: "種類",
    names: "名前",
    how_many: "件数",
    how_complete: "状態",
    section_status,
    section: sections::section,
    others: "その他",
    empty_kinds: "UForge にデータがないもの：",
    left_out_kinds: "請求されていないもの：",
    missing_title: "取得できなかったもの",
    nothing_missing: "請求されたもので欠けているものはありません。",
    lost_at,
    after_attempts: |number| format!("{number} 回試行"),
    and_more: |number| {
        format!("ほか {number} 件。すべてファイル内の export.json に記載されています")
    },
    blanked: |rule, number| match rule {
        RedactionRule::Secret => {
            format!(
                "文書内のパスワード・鍵・トークン {} 件が空白にされました。",
                grouped(number)
            )
        }
        RedactionRule::OtherPerson => {
            format!("ほかの人の文章 {} 件が空白にされました。", grouped(number))
        }
    },
    in_english: "プログラムのメッセージ（英語）：",
    notes_title: "お知らせ",
    downloads_title: "ダウンロードの記録",
    no_downloads: "まだありません。",
    downloads: |number| format!("合計 {} 件のダウンロード。", grouped(number)),
    who: "人",
    from_where: "接続元",
    how_much: "量",
    whole: "ファイル全体",
    part: "一部",

    failure_title: "失敗した理由",
    hint: "対処",
    try_again: "再試行",
    try_again_until: |moment| format!("中断したところから続けます。{moment}まで可能です。"),
    try_again_over: "途中の結果はもう保管されていません。新しいコピーを請求してください。",
    cancel: "中止する",
    delete: "ファイルを削除する",
    cancel_title: "このエクスポートを中止しますか？",
    cancel_text: "これまでに取得したものは、ここでも UForge でも削除されます。UForge にあるあなたのデータはそのままです。",
    cancel_yes: "中止する",
    cancel_no: "続ける",
    delete_title: "ファイルを削除しますか？",
    delete_text: "その後は誰もダウンロードできません。このエクスポートの記録は残り、UForge にあるあなたのデータはそのままです。",
    delete_yes: "ファイルを削除する",
    delete_no: "残しておく",
    nothing_to_give_up: "中止または削除するものはもうありません。",

    everybody_text: "請求されたものすべて。ファイルは含みません。ファイルは請求した人だけのものです。",
    unfinished_title: "まだ回答していないもの",
    none_unfinished: "未処理のものはありません。",
    and_more_exports: |number| format!("ほか {number} 件"),
    all_title: "すべてのエクスポート（新しい順）",
    campaigns: "一括エクスポート",
    campaigns_text: "管理者が依頼した、多くの人のエクスポートです。一人ひとりに自分のエクスポートがあります。",
    no_campaigns: "一括エクスポートはまだ依頼されていません。",
    campaign_of: |moment| format!("{moment}の一括エクスポート"),
    campaign_phase: |phase| match phase {
        CampaignPhase::Running => "進行中",
        CampaignPhase::Paused => "一時停止中",
        CampaignPhase::Done => "完了",
        CampaignPhase::Cancelled => "中止",
    },
    campaign_people: "人数",
    expected_end: "終了予定",
    campaign_report: "一人ひとりの結果（CSV）",
    pause_campaign: "一時停止",
    resume_campaign: "再開",
    cancel_campaign: "一括エクスポートを中止しますか。",
    cancel_campaign_text: "まだ始まっていないものは始まらず、進行中のものは終わります。準備のできたファイルは期限まで残ります。",
    order_campaign: "一括エクスポートを依頼する",
    order_campaign_text: "多くの人について、一人に一つのエクスポートを行います。UForgeの停止前などに使います。内容を確かめるまでは何も始まりません。",
    campaign_incomplete: "入力が足りません",
    campaign_incomplete_text: "一人以上の名前、または組織の番号を入力し、データの種類を一つ以上選んでください。",
    whom_users: "指定した人",
    whom_logins: "UForgeのログイン名",
    whom_logins_text: "1行に一つずつ入力してください。",
    whom_organization: "組織のメンバー",
    whom_number: "組織の番号",
    whom_everyone: "全員",
    whom_everyone_text: "UForgeに登録されているすべての人です。有効でない人も含みます。",
    since_last: "変わっていないアーカイブは各人の前回のファイルから取る",
    since_last_text: "変わったものだけを改めてエクスポートします。新しいファイルはそれだけで完全です。",
    unchanged: "変わっていないアーカイブ",
    unchanged_text: "各人の前回のファイルから取ります",
    look_at_order: "内容を確かめる",
    order_title: "この一括エクスポートを依頼しますか。",
    campaign_for,
    order_consequence: "一人に一つのエクスポートを、少しずつ順に行います。ファイルを取得できるのは本人とあなただけです。いつでも一時停止や中止ができます。",
    order_yes: "依頼する",
    order_no: "今はしない",
    retry_campaign: "失敗したものをやり直す",
    trail_text: "誰が何をしたか（新しい順）。変更することはできません。閲覧したことも記録されます。",
    number_label: "番号",
    action,
    more_label: "補足",
    service_itself: "サービス自身",
    csv: "このページを CSV で",

    problem: problems::problem,
    home: "最初のページへ",
    archives_to_delete: "保管中のファイル：",

    number: grouped,
    size: human_bytes,
    percent: |number| format!("{number}%"),
    moment: |time| time.strftime("%Y年%-m月%-d日 %H:%M（UTC）").to_string(),
};

fn format(format: BagFormat) -> &'static str {
    match format {
        BagFormat::Zip => "ZIP：どのパソコンでも開けます",
        BagFormat::Tar => "TAR：Linux と macOS 向け",
        BagFormat::TarGz => "TAR.GZ：Linux と macOS 向け、少し小さい",
    }
}

fn state(state: JobStateName, completeness: Option<Completeness>) -> &'static str {
    match (state, completeness) {
        (JobStateName::Queued, _) => "順番待ち",
        (JobStateName::Running, _) => "作成中",
        (JobStateName::Waiting, _) => "待機中",
        (JobStateName::Ready, Some(Completeness::Partial)) => "準備完了（一部）",
        (JobStateName::Ready, _) => "準備完了",
        (JobStateName::Failed, _) => "失敗",
        (JobStateName::Cancelled, _) => "中止",
        (JobStateName::Expired, _) => "期限切れ",
        (JobStateName::Deleted, _) => "削除済み",
    }
}

fn state_text(state: JobStateName) -> &'static str {
    match state {
        JobStateName::Queued => "空きができ次第、自動的に始まります。",
        JobStateName::Running => "作成しています。",
        JobStateName::Waiting => "待機しています。自動的に再開します。",
        JobStateName::Ready => "ファイルの準備ができました。",
        JobStateName::Failed => "ファイルはありません。",
        JobStateName::Cancelled => "要求により中止されました。ファイルはありません。",
        JobStateName::Expired => {
            "ファイルは約束された期間保管され、すでにありません。新しいコピーを請求できます。"
        }
        JobStateName::Deleted => "ファイルは要求により削除されました。新しいコピーを請求できます。",
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "UForge に接続しています",
        Phase::Listing => "一覧を読み取っています",
        Phase::Fetching => "文書とアーカイブを取得しています",
        Phase::Recounting => "欠けているものがないか、一覧をもう一度読み取っています",
        Phase::Finishing => "ファイルを仕上げています",
    }
}

fn waiting(waiting_for: WaitingFor) -> &'static str {
    match waiting_for {
        WaitingFor::SignIn => "請求した人を待っています。その人がここでログインすると再開します。",
        WaitingFor::Platform => "現在 UForge が応答しません。",
        WaitingFor::DiskSpace => "現在このサービスのディスクがいっぱいです。",
    }
}

fn stage(stage: &ItemStage) -> String {
    match stage {
        ItemStage::Starting => "UForge に依頼中".to_owned(),
        ItemStage::Waiting {
            percent: Some(percent),
            ..
        } => format!("UForge が作成中：{percent}%"),
        ItemStage::Waiting { percent: None, .. } => "UForge が作成中".to_owned(),
        ItemStage::Ready => "UForge で準備完了".to_owned(),
        ItemStage::Downloading | ItemStage::Copying => "取得中".to_owned(),
        ItemStage::Uploading => "送信中".to_owned(),
        ItemStage::Importing {
            percent: Some(percent),
            ..
        } => format!("UForge が処理中：{percent}%"),
        ItemStage::Importing { percent: None, .. } => "UForge が処理中".to_owned(),
        ItemStage::Stored { .. }
        | ItemStage::Resumed { .. }
        | ItemStage::Reused { .. }
        | ItemStage::Imported { .. } => "完了".to_owned(),
        ItemStage::Failed { .. } => "取得できませんでした".to_owned(),
    }
}

fn section_status(status: SectionStatus) -> &'static str {
    match status {
        SectionStatus::Complete => "完全",
        SectionStatus::Partial => "一部",
        SectionStatus::Unavailable => "取得できませんでした",
        SectionStatus::Excluded => "請求されていません",
    }
}

fn lost_at(stage: Stage) -> &'static str {
    match stage {
        Stage::Start => "UForge がアーカイブの作成を始めませんでした",
        Stage::Wait => "UForge がアーカイブを完成させませんでした",
        Stage::Download => "取得できませんでした",
        Stage::Delete => "ファイルに入っていますが、UForge 上のコピーを削除できませんでした",
    }
}

fn action(action: AuditAction) -> &'static str {
    match action {
        AuditAction::SignedIn => "ログイン",
        AuditAction::SignInRefused => "ログイン拒否",
        AuditAction::SignedOut => "ログアウト",
        AuditAction::ExportRequested => "エクスポートの請求",
        AuditAction::ExportRefused => "エクスポートの拒否",
        AuditAction::ExportReady => "エクスポートの準備完了",
        AuditAction::ExportFailed => "エクスポートの失敗",
        AuditAction::ExportCancelled => "エクスポートの中止",
        AuditAction::ExportRetried => "エクスポートの再試行",
        AuditAction::Downloaded => "ダウンロード",
        AuditAction::ReceiptDownloaded => "受領証のダウンロード",
        AuditAction::Deleted => "ファイルの削除",
        AuditAction::Expired => "ファイルの期限切れ",
        AuditAction::AuditRead => "監査ログの閲覧",
        AuditAction::CampaignRequested => "一括エクスポートの依頼",
        AuditAction::CampaignPaused => "一括エクスポートの一時停止",
        AuditAction::CampaignResumed => "一括エクスポートの再開",
        AuditAction::CampaignCancelled => "一括エクスポートの中止",
        AuditAction::CampaignRetried => "一括エクスポートのやり直し",
    }
}
