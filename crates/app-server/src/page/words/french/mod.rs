//! French.

mod counts;
mod problems;
mod sections;

use domain::jobs::{AuditAction, CampaignPhase, JobStateName, Phase, WaitingFor};
use domain::model::BagFormat;
use domain::ports::{ItemStage, RedactionRule};
use domain::report::{Completeness, SectionStatus, Stage};

use super::Words;
use counts::{campaign_for, counted, day, number, plural, size};

/// French.
pub(crate) static FRENCH: Words = Words {
    product: "Export des données UForge",
    between: " · ",
    skip: "Aller au contenu",
    main_navigation: "Navigation principale",
    my_exports: "Mes exports",
    everybody: "Tous les exports",
    trail: "Journal d’audit",
    signed_in_as: "Compte",
    sign_out: "Se déconnecter",
    language: "Langue",
    for_programs: "Interface pour les programmes",

    welcome: "Obtenir une copie de vos données UForge",
    welcome_text: "Connectez-vous avec votre identifiant UForge. Vous demandez vos données ici, vous revenez quand elles sont prêtes, et vous téléchargez un seul fichier vérifié qui contient tout.",
    login: "Identifiant UForge",
    password: "Mot de passe",
    sign_in: "Se connecter",
    password_note: "UForge vérifie votre mot de passe. Il n’est pas écrit sur le disque sous une forme lisible.",
    session_over: "Votre session est terminée. Veuillez vous reconnecter.",
    refused: "Cela n’a pas marché",
    refused_text: "UForge n’a pas accepté cet identifiant et ce mot de passe. Vérifiez les deux et réessayez.",

    ask_title: "Demander une copie",
    ask_text: "Vous obtenez un fichier avec tout ce qu’UForge conserve sur vous et tout ce que vous y avez créé. Vous n’avez pas besoin de rester sur cette page pendant sa préparation.",
    what: "Que doit-il contenir\u{202f}?",
    everything: "Tout",
    everything_text: "Toutes les catégories de données, aussi complètes qu’UForge les donne.",
    some: "Seulement ce que je choisis",
    some_text: "Choisissez les catégories ci-dessous.",
    kinds: "Catégories de données",
    file_format: "Fichier",
    format,
    redact: "Effacer les mots de passe et les clés",
    redact_text: "Dans les documents. Les archives des appliances et des logiciels restent telles quelles.",
    for_whom: "Pour qui\u{202f}?",
    for_whom_text: "L’identifiant UForge de la personne. Laissez vide pour vos propres données.",
    options: "Format du fichier et autres options",
    ask: "Demander la copie",

    exports_title: "Mes exports",
    no_exports: "Vous n’avez encore rien demandé.",
    export_of: |moment| format!("Export du {moment}"),
    details: "Détails",
    newest: "Plus récents",
    older: "Plus anciens",
    pages: "Pages",

    state,
    state_text,
    phase,
    waiting,
    tried_again_at: |moment| format!("Nouvel essai automatique\u{a0}: {moment}."),
    whose: "Données de",
    asked_by: "Demandé par",
    asked: "Demandé",
    due: "Échéance",
    due_text: "un mois après la demande",
    overdue: "En retard",
    begun: "Commencé",
    finished: "Terminé",
    available_until: "Disponible jusqu’au",
    asked_for: "Contient",
    kinds_of_data: |number| match number {
        0 | 1 => format!("{number} catégorie de données"),
        _ => format!("{number} catégories de données"),
    },
    redacted_order: "mots de passe et clés effacés",

    progress_title: "Avancement",
    steps: "Étapes",
    step_names: ["Demandé", "Listes", "Archives", "Contrôle", "Prêt"],
    archives_done: |done, planned| {
        format!(
            "{} sur {}",
            number(done),
            counted(planned, "archive", "archives")
        )
    },
    archives_failed: |count| {
        format!(
            "{} impossible{} à obtenir",
            number(count),
            plural(count, "", "s")
        )
    },
    lists_read: |count| counted(count, "liste lue", "listes lues"),
    documents_done: |count| counted(count, "document", "documents"),
    bytes_so_far: |bytes| format!("{} jusqu’ici", size(bytes)),
    stage,
    under_way: "En cours",
    not_available_yet: "UForge ne donne pas ceci",
    look_again: "Actualiser",
    live: "Cette page se met à jour toute seule.",

    verdict: |completeness| match completeness {
        Completeness::Complete => "Complet.",
        Completeness::Partial => "Partiel.",
    },
    verdict_text: |completeness, missing| match (completeness, missing) {
        (Completeness::Complete, 0) => "Tout ce qui a été demandé s’y trouve.".to_owned(),
        (Completeness::Complete, _) => {
            "Tout ce qu’UForge donne s’y trouve. Ce qu’il ne donne pas est nommé ci-dessous."
                .to_owned()
        }
        (Completeness::Partial, 0) => {
            "Tout ce qui a été demandé n’a pas pu être obtenu.".to_owned()
        }
        (Completeness::Partial, 1) => {
            "Un élément n’a pas pu être obtenu. Il est nommé ci-dessous.".to_owned()
        }
        (Completeness::Partial, count) => {
            format!(
                "{} éléments n’ont pas pu être obtenus. Ils sont nommés ci-dessous.",
                number(count)
            )
        }
    },
    download: "Télécharger",
    checksum: "SHA-256 du fichier",
    check_title: "Comment vérifier le fichier",
    check_text: "Calculez le SHA-256 du fichier que vous avez téléchargé, dans un terminal. Il doit être identique à celui ci-dessus.",
    check_all: "Ceci vérifie aussi chaque fichier à l’intérieur\u{a0}:",
    receipt_title: "Le reçu",
    receipt_text: "Il permet de montrer plus tard qu’un fichier est bien celui que ce service vous a remis, inchangé. Il reste ici quand le fichier n’y est plus.",
    receipt: "Télécharger le reçu",
    signature: "Télécharger sa signature",
    check_receipt: "Ceci compare un fichier avec son reçu\u{a0}:",
    contents_title: "Ce qu’il contient",
    bytes_by_kind: "Taille par catégorie de données",
    kind_of_data: "Catégorie",
    names: "Noms",
    how_many: "Nombre",
    how_complete: "État",
    section_status,
    section: sections::section,
    others: "Autres",
    empty_kinds: "UForge n’a rien dans ces catégories\u{a0}:",
    left_out_kinds: "Non demandé\u{a0}:",
    missing_title: "Ce qui n’a pas pu être obtenu",
    nothing_missing: "Rien de ce qui a été demandé ne manque.",
    lost_at,
    after_attempts: |count| format!("après {count} essais"),
    and_more: |count| match count {
        1 => "et encore 1, nommé dans export.json dans le fichier".to_owned(),
        _ => format!("et encore {count}, tous nommés dans export.json dans le fichier"),
    },
    blanked: |rule, count| match rule {
        RedactionRule::Secret => {
            let values = counted(
                count,
                "mot de passe, clé ou jeton effacé",
                "mots de passe, clés et jetons effacés",
            );
            format!("{values} dans les documents.")
        }
        RedactionRule::OtherPerson => {
            format!(
                "{}.",
                counted(
                    count,
                    "texte d’une autre personne effacé",
                    "textes d’autres personnes effacés"
                )
            )
        }
    },
    in_english: "Message du programme, en anglais\u{a0}:",
    notes_title: "Bon à savoir",
    downloads_title: "Qui l’a téléchargé",
    no_downloads: "Personne pour l’instant.",
    downloads: |count| {
        format!(
            "{} en tout.",
            counted(count, "téléchargement", "téléchargements")
        )
    },
    who: "Qui",
    from_where: "Depuis",
    how_much: "Quantité",
    whole: "tout le fichier",
    part: "une partie",

    failure_title: "Pourquoi il a échoué",
    hint: "Ce qui aide",
    try_again: "Réessayer",
    try_again_until: |moment| {
        format!("L’export reprend là où il s’est arrêté. Possible jusqu’au {moment}.")
    },
    try_again_over: "Plus rien n’en est conservé. Veuillez demander une nouvelle copie.",
    cancel: "Abandonner",
    delete: "Supprimer le fichier",
    cancel_title: "Abandonner cet export\u{202f}?",
    cancel_text: "Ce qui a déjà été récupéré est supprimé, ici et sur UForge. Vos données sur UForge restent telles quelles.",
    cancel_yes: "Abandonner",
    cancel_no: "Laisser continuer",
    delete_title: "Supprimer le fichier\u{202f}?",
    delete_text: "Personne ne pourra plus le télécharger. La trace de cet export est conservée, et vos données sur UForge restent telles quelles.",
    delete_yes: "Supprimer le fichier",
    delete_no: "Le garder",
    nothing_to_give_up: "Il n’y a plus rien à abandonner ni à supprimer ici.",

    everybody_text: "Tout ce qui a été demandé, sans les fichiers\u{a0}: ceux-ci sont réservés aux personnes qui les ont demandés.",
    unfinished_title: "Encore sans réponse",
    none_unfinished: "Rien n’est en attente.",
    and_more_exports: |count| format!("et encore {count}"),
    all_title: "Tous les exports, les plus récents d’abord",
    campaigns: "Campagnes",
    campaigns_text: "Les exports de plusieurs personnes à la fois, demandés par un administrateur. Chaque personne a son propre export.",
    no_campaigns: "Aucune campagne n’a encore été demandée.",
    campaign_of: |moment| format!("Campagne du {moment}"),
    campaign_phase: |phase| match phase {
        CampaignPhase::Running => "En cours",
        CampaignPhase::Paused => "Suspendue",
        CampaignPhase::Done => "Terminée",
        CampaignPhase::Cancelled => "Annulée",
    },
    campaign_people: "Personnes",
    expected_end: "Fin prévue",
    campaign_report: "Rapport de chaque personne (CSV)",
    pause_campaign: "Suspendre",
    resume_campaign: "Reprendre",
    cancel_campaign: "Annuler la campagne ?",
    cancel_campaign_text: "Ce qui n’a pas commencé ne commencera pas, et ce qui est en cours s’arrête. Les fichiers prêts restent jusqu’à leur expiration.",
    order_campaign: "Demander une campagne",
    order_campaign_text: "Un export pour chacune de plusieurs personnes, par exemple avant l’arrêt d’UForge. Rien ne commence avant que vous ayez vu ce que cela représente.",
    campaign_incomplete: "Il manque quelque chose",
    campaign_incomplete_text: "Nommez au moins une personne, ou une organisation par son numéro, et choisissez au moins un type de données.",
    whom_users: "Ces personnes",
    whom_logins: "Identifiants UForge",
    whom_logins_text: "Un par ligne.",
    whom_organization: "Les membres d’une organisation",
    whom_number: "Numéro de l’organisation",
    whom_everyone: "Tout le monde",
    whom_everyone_text: "Toutes les personnes qu’UForge connaît, y compris celles qui ne sont pas actives.",
    since_last: "Prendre dans le dernier fichier de chaque personne les archives qui n’ont pas changé",
    since_last_text: "Seul ce qui a changé est exporté de nouveau. Le nouveau fichier est tout de même entier.",
    unchanged: "Archives inchangées",
    unchanged_text: "prises dans le dernier fichier de chaque personne",
    look_at_order: "Voir ce que cela représente",
    order_title: "Demander cette campagne ?",
    campaign_for,
    order_consequence: "Un export est fait pour chacune, quelques-uns à la fois. Seules la personne et vous pouvez récupérer son fichier. Vous pouvez suspendre ou annuler la campagne à tout moment.",
    order_yes: "Demander la campagne",
    order_no: "Pas maintenant",
    retry_campaign: "Relancer les échecs",
    trail_text: "Qui a fait quoi, le plus récent d’abord. Rien ne peut y être modifié. Le lire y est aussi inscrit.",
    number_label: "N°",
    action,
    more_label: "Précisions",
    service_itself: "le service lui-même",
    csv: "Cette page en CSV",

    problem: problems::problem,
    home: "Vers la première page",
    archives_to_delete: "Vos fichiers conservés\u{a0}:",

    number,
    size,
    percent: |value| format!("{value}\u{a0}%"),
    moment: |time| format!("{} à {} UTC", day(time), time.strftime("%H:%M")),
};

fn format(format: BagFormat) -> &'static str {
    match format {
        BagFormat::Zip => "ZIP\u{a0}: s’ouvre sur tous les ordinateurs",
        BagFormat::Tar => "TAR\u{a0}: pour Linux et macOS",
        BagFormat::TarGz => "TAR.GZ\u{a0}: pour Linux et macOS, un peu plus petit",
    }
}

fn state(state: JobStateName, completeness: Option<Completeness>) -> &'static str {
    match (state, completeness) {
        (JobStateName::Queued, _) => "En file d’attente",
        (JobStateName::Running, _) => "En cours",
        (JobStateName::Waiting, _) => "En attente",
        (JobStateName::Ready, Some(Completeness::Partial)) => "Prêt, partiel",
        (JobStateName::Ready, _) => "Prêt, complet",
        (JobStateName::Failed, _) => "Échoué",
        (JobStateName::Cancelled, _) => "Abandonné",
        (JobStateName::Expired, _) => "Expiré",
        (JobStateName::Deleted, _) => "Supprimé",
    }
}

fn state_text(state: JobStateName) -> &'static str {
    match state {
        JobStateName::Queued => "Il commence tout seul dès qu’une place est libre.",
        JobStateName::Running => "Il est en préparation.",
        JobStateName::Waiting => "Il attend, et reprend tout seul.",
        JobStateName::Ready => "Le fichier est prêt.",
        JobStateName::Failed => "Il n’y a pas de fichier.",
        JobStateName::Cancelled => "Il a été abandonné sur demande. Il n’y a pas de fichier.",
        JobStateName::Expired => {
            "Le fichier a été conservé aussi longtemps que promis et n’existe plus. Vous pouvez demander une nouvelle copie."
        }
        JobStateName::Deleted => {
            "Le fichier a été supprimé sur demande. Vous pouvez demander une nouvelle copie."
        }
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "Connexion à UForge",
        Phase::Listing => "Lecture des listes de ce qu’il y a",
        Phase::Fetching => "Récupération des documents et des archives",
        Phase::Recounting => "Deuxième lecture des listes, pour voir que rien ne manque",
        Phase::Finishing => "Fermeture du fichier",
    }
}

fn waiting(waiting_for: WaitingFor) -> &'static str {
    match waiting_for {
        WaitingFor::SignIn => {
            "Il attend la personne qui l’a demandé\u{a0}: dès qu’elle se connecte ici, il reprend."
        }
        WaitingFor::Platform => "UForge ne répond pas en ce moment.",
        WaitingFor::DiskSpace => "Le disque de ce service est plein en ce moment.",
    }
}

fn stage(stage: &ItemStage) -> String {
    match stage {
        ItemStage::Starting => "demande à UForge".to_owned(),
        ItemStage::Waiting {
            percent: Some(percent),
            ..
        } => format!("préparation par UForge\u{a0}: {percent}\u{a0}%"),
        ItemStage::Waiting { percent: None, .. } => "préparation par UForge".to_owned(),
        ItemStage::Ready => "prêt sur UForge".to_owned(),
        ItemStage::Downloading | ItemStage::Copying => "récupération".to_owned(),
        ItemStage::Uploading => "envoi".to_owned(),
        ItemStage::Importing {
            percent: Some(percent),
            ..
        } => format!("traitement par UForge\u{a0}: {percent}\u{a0}%"),
        ItemStage::Importing { percent: None, .. } => "traitement par UForge".to_owned(),
        ItemStage::Stored { .. }
        | ItemStage::Resumed { .. }
        | ItemStage::Reused { .. }
        | ItemStage::Imported { .. } => "terminé".to_owned(),
        ItemStage::Failed { .. } => "impossible à obtenir".to_owned(),
    }
}

fn section_status(status: SectionStatus) -> &'static str {
    match status {
        SectionStatus::Complete => "complet",
        SectionStatus::Partial => "partiel",
        SectionStatus::Unavailable => "impossible à obtenir",
        SectionStatus::Excluded => "non demandé",
    }
}

fn lost_at(stage: Stage) -> &'static str {
    match stage {
        Stage::Start => "UForge n’a pas commencé son archive",
        Stage::Wait => "UForge n’a pas terminé son archive",
        Stage::Download => "n’a pas pu être récupéré",
        Stage::Delete => "est dans le fichier, mais sa copie sur UForge n’a pas pu être supprimée",
    }
}

fn action(action: AuditAction) -> &'static str {
    match action {
        AuditAction::SignedIn => "connexion",
        AuditAction::SignInRefused => "connexion refusée",
        AuditAction::SignedOut => "déconnexion",
        AuditAction::ExportRequested => "export demandé",
        AuditAction::ExportRefused => "export refusé",
        AuditAction::ExportReady => "export prêt",
        AuditAction::ExportFailed => "export échoué",
        AuditAction::ExportCancelled => "export abandonné",
        AuditAction::ExportRetried => "export réessayé",
        AuditAction::Downloaded => "téléchargement",
        AuditAction::ReceiptDownloaded => "téléchargement du reçu",
        AuditAction::Deleted => "fichier supprimé",
        AuditAction::Expired => "fichier expiré",
        AuditAction::AuditRead => "journal d’audit lu",
        AuditAction::CampaignRequested => "campagne demandée",
        AuditAction::CampaignPaused => "campagne suspendue",
        AuditAction::CampaignResumed => "campagne reprise",
        AuditAction::CampaignCancelled => "campagne annulée",
        AuditAction::CampaignRetried => "campagne relancée",
    }
}
