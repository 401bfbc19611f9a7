//! The compose file.

use serde_json::Value;

use crate::{is_pinned, parse_shell, read, root};

fn file() -> Value {
    serde_saphyr::from_str(&read("deploy/compose.yaml")).expect("YAML")
}

/// Merges of YAML are resolved: what stands there itself wins.
fn merged(value: &Value) -> Value {
    let Some(object) = value.as_object() else {
        return value.clone();
    };
    let mut whole = match object.get("<<") {
        Some(base) => merged(base).as_object().cloned().unwrap_or_default(),
        None => serde_json::Map::new(),
    };
    for (key, value) in object.iter().filter(|(key, _)| *key != "<<") {
        whole.insert(key.clone(), merged(value));
    }
    Value::Object(whole)
}

fn words(value: &Value) -> Vec<&str> {
    let list = value.as_array().expect("a list");
    list.iter()
        .map(|word| word.as_str().expect("a word"))
        .collect()
}

pub(crate) fn images_are_pinned() {
    let file = file();
    let image = |service: &str| {
        file["services"][service]["image"]
            .as_str()
            .expect("an image")
            .to_owned()
    };
    assert!(is_pinned(&image("proxy")));
    // The service's own is built here, of this version.
    assert_eq!(
        image("server"),
        concat!("uforge-export-server:", env!("CARGO_PKG_VERSION"))
    );
    let build = &file["services"]["server"]["build"];
    assert_eq!(build["context"], "..");
    assert!(
        root()
            .join(build["dockerfile"].as_str().expect("a file"))
            .exists()
    );
}

pub(crate) fn containers_may_little() {
    let file = file();
    for (name, service) in file["services"].as_object().expect("services") {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(words(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(
            words(&service["security_opt"]),
            ["no-new-privileges:true"],
            "{name}"
        );
        assert_eq!(service["restart"], "unless-stopped", "{name}");
        assert!(service["pids_limit"].is_number(), "{name}");
    }
    let server = &file["services"]["server"];
    assert_eq!(server["cap_add"], Value::Null);
    // Whom these folders belong to is said in the Dockerfile.
    let folders = ["/var/lib/uforge-export", "/var/backups/uforge-export"];
    let image = read("deploy/Dockerfile");
    assert!(image.contains(&format!(
        "--owner=10001 --group=10001 {}",
        folders.join(" ")
    )));
    let mounted = words(&server["volumes"]).into_iter();
    let mounted = mounted.filter_map(|volume| volume.split(':').nth(1));
    assert_eq!(mounted.collect::<Vec<_>>(), folders);
    assert_eq!(
        words(&file["services"]["proxy"]["cap_add"]),
        ["NET_BIND_SERVICE"]
    );
}

pub(crate) fn only_the_proxy() {
    let file = file();
    let (server, proxy) = (&file["services"]["server"], &file["services"]["proxy"]);
    let environment = &server["environment"];
    assert_eq!(
        environment["UFORGE_EXPORT_TRUSTED_PROXY"],
        proxy["networks"]["inside"]["ipv4_address"]
    );
    let own = server["networks"]["inside"]["ipv4_address"]
        .as_str()
        .expect("an address");
    let listen = environment["UFORGE_EXPORT_LISTEN"]
        .as_str()
        .expect("an address");
    assert_eq!(listen, format!("{own}:8081"));
    assert_eq!(proxy["environment"]["SERVER"], listen);
    assert_eq!(server["ports"], Value::Null);
    assert_eq!(words(&proxy["ports"]), ["80:80", "443:443"]);
    assert_eq!(file["networks"]["inside"]["internal"], true);
    let subnet = file["networks"]["inside"]["ipam"]["config"][0]["subnet"].as_str();
    let (subnet, _) = subnet
        .expect("a network")
        .rsplit_once('.')
        .expect("a network");
    assert!(own.starts_with(&format!("{subnet}.")));
    let mounted = words(&proxy["volumes"])[0]
        .split(':')
        .next()
        .expect("a file");
    assert!(root().join("deploy").join(mounted).exists(), "{mounted}");
}

pub(crate) fn secrets_are_files() {
    let file = file();
    for secret in words(&file["services"]["server"]["secrets"]) {
        assert!(file["secrets"][secret]["file"].is_string(), "{secret}");
        let path = format!("/run/secrets/{secret}");
        let environment = file["services"]["server"]["environment"].as_object();
        let mut values = environment.expect("variables").values();
        assert!(values.any(|value| *value == path), "{path}");
    }
    // All that has to be filled in is in the example.
    let example = read("deploy/compose.env.example");
    let text = read("deploy/compose.yaml");
    let asked = text.split("${").skip(1).map(|rest| {
        let end = rest.find([':', '}']).expect("an end");
        &rest[..end]
    });
    for name in asked {
        assert!(example.contains(&format!("\n{name}=")), "{name}");
    }
}

pub(crate) fn health_check() {
    let file = file();
    let server = &file["services"]["server"];
    let test = words(&server["healthcheck"]["test"]);
    assert_eq!(&test[..3], ["CMD", "bash", "-c"]);
    let listen = server["environment"]["UFORGE_EXPORT_LISTEN"]
        .as_str()
        .expect("an address");
    let place = listen.replace(':', "/");
    assert!(
        test[3].contains(&format!("/dev/tcp/{place} ")),
        "{}",
        test[3]
    );
    parse_shell(&test[3].replace("$$", "$"));
}

/// Of a service of many processes: images are pinned, nobody may much, the processes have the same settings but for their roles, and
/// what has to be filled in is in the example.
pub(crate) fn many_processes() {
    let text = read("deploy/compose.fleet.yaml");
    let file: Value = serde_saphyr::from_str(&text).expect("YAML");
    let services = merged(&file["services"]);
    for (name, service) in services.as_object().expect("services") {
        let image = service["image"].as_str().expect("an image");
        assert!(is_pinned(image), "{image}");
        assert_eq!(words(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(
            words(&service["security_opt"]),
            ["no-new-privileges:true"],
            "{name}"
        );
        assert_eq!(
            service["ports"] != Value::Null,
            name == "proxy",
            "only the proxy is published: {name}"
        );
        for secret in service["secrets"].as_array().into_iter().flatten() {
            let secret = secret.as_str().expect("a name");
            assert!(file["secrets"][secret]["file"].is_string(), "{secret}");
        }
    }
    let (web, worker) = (&services["web"], &services["worker"]);
    assert!(worker["deploy"]["replicas"].as_u64() >= Some(2));
    let variables = |service: &Value| {
        service["environment"]
            .as_object()
            .cloned()
            .expect("variables")
    };
    let (ours, theirs) = (variables(web), variables(worker));
    for name in [
        "UFORGE_URL",
        "UFORGE_EXPORT_DATABASE",
        "UFORGE_EXPORT_STORE",
        "UFORGE_EXPORT_PLATFORM_SLOTS",
    ] {
        assert!(
            ours.contains_key(name) && ours[name] == theirs[name],
            "{name}"
        );
    }
    assert_eq!(ours["UFORGE_EXPORT_DATA"], "");
    assert_eq!(ours["UFORGE_EXPORT_ROLE"], "web");
    assert_eq!(theirs["UFORGE_EXPORT_ROLE"], "worker");
    assert_eq!(file["networks"]["stores"]["internal"], true);
    let listen = ours["UFORGE_EXPORT_LISTEN"].as_str().expect("an address");
    assert_eq!(services["proxy"]["environment"]["SERVER"], listen);
    assert_eq!(
        ours["UFORGE_EXPORT_TRUSTED_PROXY"],
        services["proxy"]["networks"]["inside"]["ipv4_address"]
    );
    let asks = words(&web["healthcheck"]["test"]);
    assert!(asks[3].contains(&format!("/dev/tcp/{} ", listen.replace(':', "/"))));
    parse_shell(&asks[3].replace("$$", "$"));
    let example = read("deploy/compose.env.example");
    for rest in text.split("${").skip(1) {
        let name = &rest[..rest.find([':', '}']).expect("an end")];
        assert!(example.contains(&format!("\n{name}=")), "{name}");
    }
}
