//! The Helm chart, rendered as far as it uses templates: values, `quote`, `toJson`, and `if` about one value. Where Helm is, `helm lint` says more.

use serde_json::Value;

use crate::{read, root};

const CHART: &str = "deploy/helm/uforge-export";

/// What a template says of a value, such as `.Values.web.replicas`.
fn value_of<'a>(values: &'a Value, path: &str) -> &'a Value {
    let place = path.strip_prefix(".Values.").expect("a value");
    let found = place.split('.').fold(values, |value, key| &value[key]);
    assert!(!found.is_null(), "{path} is not in values.yaml");
    found
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// What stands for an expression between `{{` and `}}`.
fn expression(values: &Value, text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [".Release.Name"] => "exports".to_owned(),
        [path, "|", "quote"] => {
            serde_json::to_string(&text_of(value_of(values, path))).expect("JSON")
        }
        ["toJson", path] => value_of(values, path).to_string(),
        [path] => text_of(value_of(values, path)),
        _ => panic!("this test does not know `{text}`"),
    }
}

fn render(values: &Value, template: &str) -> String {
    let mut rendered = String::new();
    // Whether what stands here is wanted: one block at a time.
    let mut wanted = true;
    for line in template.lines() {
        let control = line
            .trim()
            .strip_prefix("{{- ")
            .and_then(|rest| rest.strip_suffix(" }}"));
        match control
            .map(|control| control.split_whitespace().collect::<Vec<_>>())
            .as_deref()
        {
            Some(["end"]) => wanted = true,
            Some(["if", path]) => wanted = value_of(values, path) == true,
            Some(["if", "not", path]) => wanted = value_of(values, path) != true,
            Some(other) => panic!("this test does not know {other:?}"),
            None if wanted => {
                let mut rest = line;
                while let Some((before, after)) = rest.split_once("{{ ") {
                    let (inside, after) = after.split_once(" }}").expect("an end");
                    rendered.push_str(before);
                    rendered.push_str(&expression(values, inside));
                    rest = after;
                }
                rendered.push_str(rest);
                rendered.push('\n');
            }
            None => {}
        }
    }
    rendered
}

fn objects_with(scaling: bool) -> Vec<Value> {
    let mut values: Value =
        serde_saphyr::from_str(&read(&format!("{CHART}/values.yaml"))).expect("YAML");
    values["scaling"]["enabled"] = scaling.into();
    let folder = std::fs::read_dir(root().join(CHART).join("templates")).expect("templates");
    let names = folder.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    let mut objects = Vec::new();
    for name in names {
        let template = read(&format!("{CHART}/templates/{name}"));
        let rendered = render(&values, &template);
        for part in rendered
            .split("\n---\n")
            .filter(|part| !part.trim().is_empty())
        {
            let object: Value = serde_saphyr::from_str(part)
                .unwrap_or_else(|error| panic!("{name}: {error}\n{part}"));
            assert!(object["apiVersion"].is_string(), "{name}");
            objects.push(object);
        }
    }
    objects
}

fn named<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let mut found = objects.iter();
    let found = found.find(|it| it["kind"] == kind && it["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn variable<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    let mut all = container["env"].as_array().expect("variables").iter();
    all.find(|it| it["name"] == name)?["value"].as_str()
}

/// A web and a worker, which differ in their role; each may little, has probes, and is not evicted all at once.
pub(crate) fn deployments() {
    let objects = objects_with(false);
    for role in ["web", "worker"] {
        let name = format!("exports-{role}");
        let deployment = named(&objects, "Deployment", &name);
        assert_eq!(deployment["spec"]["replicas"], 2);
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsUser"], 10001);
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert!(pod["terminationGracePeriodSeconds"].as_u64() > Some(10));
        let container = &pod["containers"][0];
        assert_eq!(variable(container, "UFORGE_EXPORT_ROLE"), Some(role));
        assert_eq!(variable(container, "UFORGE_EXPORT_DATA"), Some(""));
        let context = &container["securityContext"];
        assert_eq!(context["readOnlyRootFilesystem"], true);
        assert_eq!(context["capabilities"]["drop"][0], "ALL");
        for probe in ["livenessProbe", "startupProbe"] {
            assert!(container[probe]["httpGet"]["path"].is_string(), "{probe}");
        }
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        let selector = deployment["spec"]["selector"]["matchLabels"].as_object();
        for (key, value) in selector.expect("labels") {
            assert_eq!(labels[key], *value);
        }
        let budget = named(&objects, "PodDisruptionBudget", &name);
        let selected = &budget["spec"]["selector"]["matchLabels"];
        assert_eq!(*selected, deployment["spec"]["selector"]["matchLabels"]);
    }
    let web = named(&objects, "Deployment", "exports-web");
    let web = &web["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(web["readinessProbe"]["httpGet"]["path"], "/readyz");
    named(&objects, "Service", "exports-web");
    let kinds = objects
        .iter()
        .filter(|it| it["kind"] == "HorizontalPodAutoscaler");
    assert_eq!(kinds.count(), 0);
}

/// Settings on which processes agree are the same in both; no secret is in a variable.
pub(crate) fn settings() {
    let objects = objects_with(false);
    let of = |role: &str| {
        let deployment = named(&objects, "Deployment", &format!("exports-{role}")).clone();
        deployment["spec"]["template"]["spec"]["containers"][0].clone()
    };
    let (web, worker) = (of("web"), of("worker"));
    for name in [
        "UFORGE_URL",
        "UFORGE_EXPORT_DATABASE",
        "UFORGE_EXPORT_STORE",
        "UFORGE_EXPORT_PLATFORM_SLOTS",
        "UFORGE_EXPORT_LEASE",
    ] {
        assert!(variable(&web, name).is_some(), "{name}");
        assert_eq!(variable(&web, name), variable(&worker, name), "{name}");
    }
    for container in [&web, &worker] {
        for name in ["PGPASSWORD", "AWS_SECRET_ACCESS_KEY"] {
            assert_eq!(variable(container, name), None);
        }
        assert!(container["envFrom"][0]["secretRef"]["name"].is_string());
    }
}

/// What workers are added for is counted by the service.
pub(crate) fn scaling() {
    let objects = objects_with(true);
    let worker = named(&objects, "Deployment", "exports-worker");
    assert_eq!(worker["spec"]["replicas"], Value::Null);
    let scaler = named(&objects, "HorizontalPodAutoscaler", "exports-worker");
    assert_eq!(scaler["spec"]["scaleTargetRef"]["name"], "exports-worker");
    let values = read(&format!("{CHART}/values.yaml"));
    let (_, query) = values.split_once("max(").expect("a query");
    let metric = query.split('{').next().expect("a name");
    assert!(
        read("docs/server.md").contains(&format!("`{metric}` | `state`")),
        "{metric}"
    );
    assert!(read("crates/app-server/src/metrics/names.rs").contains(metric));
}
