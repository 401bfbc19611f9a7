//! Problems in French.

use domain::jobs::JobStateName;

use super::counts::wait;
use crate::page::words::Said;
use crate::problem::Problem;

#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn problem(problem: &Problem) -> Said {
    let (title, text) = match problem {
        Problem::Unauthenticated { .. } => (
            "Veuillez vous connecter",
            "Cette page est réservée aux personnes connectées.".to_owned(),
        ),
        Problem::Forbidden => (
            "UForge ne vous laisse pas entrer",
            "UForge connaît votre identifiant, mais ne laisse pas ce compte lire ses propres données. Adressez-vous à un administrateur d’UForge.".to_owned(),
        ),
        Problem::ForbiddenPerson => (
            "UForge ne vous montre pas cette personne",
            "UForge ne vous laisse pas lire les données de cette personne, ou elle n’existe pas.".to_owned(),
        ),
        Problem::InvalidLogin { .. } => (
            "Ceci ne peut pas être un identifiant",
            "L’identifiant est le vôtre sur UForge, sans caractères spéciaux. Personne ne peut se connecter ici à la place d’un autre.".to_owned(),
        ),
        Problem::InvalidForm | Problem::InvalidJson { .. } | Problem::NotDeclaredJson | Problem::InvalidKey { .. } => (
            "Le formulaire n’a pas été compris",
            "Revenez en arrière, rechargez la page et remplissez-le encore une fois.".to_owned(),
        ),
        Problem::InvalidOrder { .. } => (
            "Rien à exporter",
            "Ce qui a été rempli ne laisse rien à exporter, ou ne va pas ensemble. Revenez en arrière et choisissez au moins une catégorie.".to_owned(),
        ),
        Problem::InvalidQuery { .. } => (
            "Cette partie de la liste n’existe pas",
            "Recommencez à la première page.".to_owned(),
        ),
        Problem::CrossOrigin => (
            "Ceci ne vient pas d’ici",
            "La requête a été envoyée par la page d’un autre site, ou votre navigateur ne dit pas d’où elle vient. Rien n’a été fait.".to_owned(),
        ),
        Problem::TooManyStreams { limit } => (
            "Trop de pages sont ouvertes",
            format!("Au plus {limit} de vos pages peuvent se mettre à jour toutes seules en même temps. Fermez-en."),
        ),
        Problem::TooManyAttempts { wait: time } => (
            "Trop de mots de passe erronés",
            format!("Attendez {} avant de réessayer.", wait(*time)),
        ),
        Problem::PlatformUnavailable { .. } => (
            "UForge ne répond pas",
            "Il n’a pas été possible de demander à UForge si c’est bien vous. Vos exports terminés sont en sécurité. Réessayez dans un instant.".to_owned(),
        ),
        Problem::UnknownPath | Problem::MethodNotAllowed => (
            "Il n’y a rien ici",
            "L’adresse est peut-être mal écrite, ou ce qui était ici n’y est plus.".to_owned(),
        ),
        Problem::UnknownExport => (
            "Cet export n’existe pas",
            "Aucun de vos exports n’a cette adresse. Peut-être êtes-vous connecté avec un autre identifiant.".to_owned(),
        ),
        Problem::OthersExport => (
            "Cet export n’est pas le vôtre",
            "Seules la personne concernée et l’administrateur qui l’a demandé peuvent le récupérer, le supprimer ou le relancer.".to_owned(),
        ),
        Problem::UnknownCampaign => (
            "Cette campagne n’existe pas",
            "L’adresse est peut-être mal écrite.".to_owned(),
        ),
        Problem::CampaignOver => (
            "La campagne est terminée",
            "Tous ses exports sont terminés, ou elle a été annulée. Demandez-en une nouvelle.".to_owned(),
        ),
        Problem::OthersCampaign => (
            "Cette campagne a été demandée par quelqu’un d’autre",
            "Seul l’administrateur qui l’a demandée peut relancer ses exports en échec.".to_owned(),
        ),
        Problem::NothingToRetry => (
            "Il n’y a rien à relancer",
            "Aucun de ses exports n’a échoué, ou rien n’en est plus conservé. Demandez une nouvelle campagne pour ces personnes.".to_owned(),
        ),
        Problem::BodyTooLarge { .. } => (
            "C’était trop",
            "Le formulaire est plus grand que ce qui est accepté.".to_owned(),
        ),
        Problem::UnclearHost => (
            "Le navigateur n’a pas dit où il voulait aller",
            "L’adresse de ce service manquait dans ce qu’il a envoyé. Veuillez essayer un autre navigateur.".to_owned(),
        ),
        Problem::HeadersTooLarge { .. } => (
            "La requête est trop volumineuse",
            "Effacez les cookies de ce site, puis réessayez.".to_owned(),
        ),
        Problem::BodyIncomplete => (
            "Le formulaire n’est pas arrivé",
            "La connexion a été coupée ou était trop lente. Veuillez réessayer.".to_owned(),
        ),
        Problem::NotReady { .. } => (
            "Le fichier n’est pas encore prêt",
            "L’export n’est pas terminé. Sa page montre où il en est.".to_owned(),
        ),
        Problem::Gone { state } => (
            "Il n’y a plus de fichier",
            match state {
                JobStateName::Failed => "L’export a échoué\u{a0}: sa page dit pourquoi.",
                JobStateName::Expired => "Il a été conservé aussi longtemps que promis. Vous pouvez demander une nouvelle copie.",
                _ => "Il a été supprimé ou abandonné. Vous pouvez demander une nouvelle copie.",
            }
            .to_owned(),
        ),
        Problem::NoReceipt => (
            "Il n’y a pas de reçu",
            "L’export date d’avant les reçus, ou ce service ne les signe pas.".to_owned(),
        ),
        Problem::OtherArchive => (
            "Le fichier n’est plus le même",
            "Recommencez le téléchargement depuis le début.".to_owned(),
        ),
        Problem::RangeNotSatisfiable { .. } => (
            "Le fichier n’a pas cette partie",
            "Recommencez le téléchargement depuis le début.".to_owned(),
        ),
        Problem::TooManyExports { limit } => (
            "Trop d’exports en cours",
            format!("Au plus {limit} de vos exports peuvent être en cours en même temps. Attendez-en un, ou abandonnez-en un."),
        ),
        Problem::TooManyOrders { limit, wait: time } => (
            "Trop d’exports aujourd’hui",
            format!("Au plus {limit} exports peuvent être demandés en un jour. Le prochain est possible dans {}.", wait(*time)),
        ),
        Problem::TooManyArchives { wait: time, .. } => (
            "Trop de fichiers sont conservés pour vous",
            format!("Supprimez d’abord un de vos fichiers, ou attendez {}\u{a0}: alors le premier expire.", wait(*time)),
        ),
        Problem::KeyReused => (
            "Ceci a déjà été demandé",
            "Rechargez la page avant de demander autre chose.".to_owned(),
        ),
        Problem::NotResumable { state } => (
            "Cet export ne peut pas être réessayé",
            match state {
                JobStateName::Failed => "Plus rien n’en est conservé. Veuillez demander une nouvelle copie.",
                _ => "Seul un export échoué peut être réessayé.",
            }
            .to_owned(),
        ),
        Problem::NotAdministrator => (
            "Ceci est réservé aux administrateurs",
            "L’exploitant de ce service nomme ses administrateurs.".to_owned(),
        ),
        Problem::Busy => (
            "Le service est occupé",
            "Veuillez réessayer dans un instant.".to_owned(),
        ),
        Problem::NoSpace => (
            "Le disque du service est plein",
            "Rien n’est perdu. Ce qui est là peut encore être téléchargé\u{a0}; veuillez redemander plus tard.".to_owned(),
        ),
        Problem::Stopping => (
            "Le service redémarre",
            "Veuillez réessayer dans une minute. Rien n’est perdu.".to_owned(),
        ),
        Problem::Internal => (
            "Quelque chose n’a pas marché ici",
            "C’est une faute du service lui-même\u{a0}; son exploitant en trouve la cause dans le journal. Veuillez réessayer.".to_owned(),
        ),
    };
    Said { title, text }
}
