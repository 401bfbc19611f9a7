//! The kinds of data in Japanese.

use domain::model::Section;

use crate::page::words::About;

pub(super) fn section(section: Section) -> About {
    let (title, text) = match section {
        Section::Profile => (
            "プロフィール",
            "あなたのアカウント：名前、メールアドレス、住所、設定、写真。",
        ),
        Section::Appliances => (
            "アプライアンス",
            "あなたが設計したマシンイメージのテンプレート。それぞれ、別の UForge にインポートできるアーカイブ付き。",
        ),
        Section::MySoftware => (
            "マイソフトウェア",
            "あなたのライブラリにあるソフトウェア。それぞれ、ファイルが入ったアーカイブ付き。",
        ),
        Section::CloudAccounts => (
            "クラウドアカウント",
            "クラウドプロバイダー用に保存した認証情報。証明書と鍵を含みます。",
        ),
        Section::ArtifactAccounts => (
            "アーティファクトアカウント",
            "アーティファクトリポジトリ用に保存した認証情報。",
        ),
        Section::ApiKeys => (
            "API キー",
            "プログラムがあなたの名前で動作するための鍵の組。",
        ),
        Section::SshKeys => ("SSH 鍵", "あなたのマシン用に保存した SSH 公開鍵。"),
        Section::Workspaces => (
            "ワークスペース",
            "ほかの人とテンプレートを共有するワークスペース。",
        ),
        Section::WorkspaceComments => (
            "ワークスペースのコメント",
            "ワークスペースにあなたが書いたもの。ほかの人の言葉は除かれています。",
        ),
        Section::Organizations => ("組織", "あなたのアカウントが所属する組織。"),
        Section::Roles => ("ロール", "管理者があなたのアカウントに与えたロールと権限。"),
        Section::Quotas => (
            "クォータ",
            "あなたのアカウントに設定された上限と、その使用量。",
        ),
        Section::Usage => (
            "使用状況",
            "プラットフォームが数えたあなたの使用：生成、公開、その日時。",
        ),
        Section::Statistics => (
            "統計",
            "プラットフォームがあなたのアカウントについて保持する数値。",
        ),
        Section::Activities => (
            "アクティビティ",
            "あなたのアカウントで何がいつ行われたかの記録。",
        ),
        Section::Images => (
            "マシンイメージ",
            "生成したマシンイメージの記録。イメージ自体は個人データではありません。",
        ),
        Section::PublishedImages => (
            "公開済みイメージ",
            "クラウドに公開したマシンイメージの記録。",
        ),
        Section::Imports => ("インポート", "インポートしたテンプレートの記録。"),
        Section::Exports => (
            "エクスポート",
            "プラットフォームにあるテンプレートのエクスポートの記録。",
        ),
        Section::Scans => ("スキャン", "あなたのマシンに対して行われたスキャンの記録。"),
        Section::ScannedInstances => ("スキャンしたインスタンス", "スキャンさせたマシン。"),
        Section::Migrations => ("移行", "実行した移行の記録。"),
        Section::Deployments => ("デプロイ", "デプロイしたものの記録。"),
        Section::Blueprints => ("ブループリント", "設計したデプロイ用ブループリント。"),
    };
    About { title, text }
}
