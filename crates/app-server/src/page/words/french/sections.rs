//! The kinds of data in French.

use domain::model::Section;

use crate::page::words::About;

pub(super) fn section(section: Section) -> About {
    let (title, text) = match section {
        Section::Profile => (
            "Profil",
            "Votre compte\u{a0}: nom, adresse électronique, adresse postale, préférences et photo.",
        ),
        Section::Appliances => (
            "Appliances",
            "Les modèles d’images de machines que vous avez conçus, chacun avec l’archive qu’un autre UForge peut importer.",
        ),
        Section::MySoftware => (
            "Mes logiciels",
            "Les lots de logiciels de votre bibliothèque, chacun avec l’archive qui contient ses fichiers.",
        ),
        Section::CloudAccounts => (
            "Comptes cloud",
            "Les identifiants que vous avez enregistrés pour des fournisseurs de cloud, avec leurs certificats et leurs clés.",
        ),
        Section::ArtifactAccounts => (
            "Comptes de dépôts",
            "Les identifiants que vous avez enregistrés pour des dépôts d’artefacts.",
        ),
        Section::ApiKeys => (
            "Clés d’API",
            "Les paires de clés avec lesquelles des programmes agissent en votre nom.",
        ),
        Section::SshKeys => (
            "Clés SSH",
            "Les clés SSH publiques que vous avez enregistrées pour vos machines.",
        ),
        Section::Workspaces => (
            "Espaces de travail",
            "Les espaces de travail où vous partagez des modèles avec d’autres.",
        ),
        Section::WorkspaceComments => (
            "Commentaires",
            "Ce que vous avez écrit dans les espaces de travail\u{a0}; les mots d’autres personnes sont omis.",
        ),
        Section::Organizations => (
            "Organisations",
            "Les organisations auxquelles votre compte appartient.",
        ),
        Section::Roles => (
            "Rôles",
            "Les rôles et les droits que des administrateurs ont donnés à votre compte.",
        ),
        Section::Quotas => (
            "Quotas",
            "Les limites fixées pour votre compte, et ce qui en est utilisé.",
        ),
        Section::Usage => (
            "Utilisation",
            "Ce que la plateforme a compté de votre utilisation\u{a0}: générations, publications et leurs dates.",
        ),
        Section::Statistics => (
            "Statistiques",
            "Les chiffres que la plateforme conserve sur votre compte.",
        ),
        Section::Activities => (
            "Activités",
            "Le journal de ce qui a été fait avec votre compte, et quand.",
        ),
        Section::Images => (
            "Images de machines",
            "Les traces des images de machines que vous avez générées\u{a0}; les images elles-mêmes ne sont pas des données personnelles.",
        ),
        Section::PublishedImages => (
            "Images publiées",
            "Les traces des images de machines que vous avez publiées dans des clouds.",
        ),
        Section::Imports => ("Imports", "Les traces des modèles que vous avez importés."),
        Section::Exports => (
            "Exports",
            "Les traces des exports de modèles qui se trouvent sur la plateforme.",
        ),
        Section::Scans => (
            "Analyses",
            "Les traces des analyses faites de vos machines.",
        ),
        Section::ScannedInstances => (
            "Machines analysées",
            "Les machines que vous avez fait analyser.",
        ),
        Section::Migrations => (
            "Migrations",
            "Les traces des migrations que vous avez lancées.",
        ),
        Section::Deployments => ("Déploiements", "Les traces de ce que vous avez déployé."),
        Section::Blueprints => (
            "Blueprints",
            "Les plans de déploiement que vous avez conçus.",
        ),
    };
    About { title, text }
}
