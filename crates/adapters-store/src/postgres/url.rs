//! Where the database is: a URL without a password.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

use super::error::PostgresError;

/// The parameters that a URL may have besides `passfile`, as libpq calls them: those that are understood. What is not understood would be
/// passed over, `sslmod=verify-full` too, and its value logged.
const PARAMETERS: [&str; 12] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];
/// How the database sees this program, unless the URL says otherwise.
const APPLICATION: &str = "uforge-export-server";

/// Where a database is, as in `postgres://user@host/database` or `postgres:///database?host=/socket/folder&user=name`.
#[derive(Clone)]
pub struct DatabaseUrl {
    options: PgConnectOptions,
    shown: String,
}

/// Without the password.
impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DatabaseUrl({})", self.shown)
    }
}

/// Without the password.
impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

fn wrong(reason: impl Into<String>) -> PostgresError {
    PostgresError::Url {
        reason: reason.into(),
    }
}

/// Its own message would repeat the URL.
fn no_url(_: sqlx::Error) -> PostgresError {
    wrong("it is no URL of a PostgreSQL database")
}

/// A parameter that is not understood. Where it does not look like one it may be anything, and is not shown.
fn unknown(key: &str) -> PostgresError {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_[]".contains(letter);
    let named = if !key.is_empty() && key.chars().all(is_name) {
        format!("its parameter `{key}` is not known")
    } else {
        "one of its parameters is not known".to_owned()
    };
    let known = PARAMETERS.join("`, `");
    wrong(format!("{named}; known are `{known}` and `passfile`"))
}

impl DatabaseUrl {
    /// Reads a URL. A password comes from `PGPASSWORD`, from the file that the URL names as its `passfile`, or from libpq's usual one;
    /// one in the URL is refused: everybody would see it who lists processes.
    pub fn parse(text: &str) -> Result<Self, PostgresError> {
        let rest = text
            .strip_prefix("postgres://")
            .or_else(|| text.strip_prefix("postgresql://"))
            .ok_or_else(|| wrong("it has to begin with `postgres://`"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = place.split('/').next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        if user.is_some_and(|user| user.contains(':')) {
            return Err(wrong("it holds a password"));
        }
        // What stands behind it is no part of the query, an `sslmode` neither.
        if text.contains('#') {
            return Err(wrong("it has a `#` in it, which is written `%23`"));
        }
        // Before the query: where the place is no place, a part of a password may stand there.
        PgConnectOptions::from_str(&format!("postgres://{place}")).map_err(no_url)?;
        let mut passfile = None;
        let mut kept = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key {
                "password" => return Err(wrong("it holds a password")),
                "passfile" => passfile = Some(PathBuf::from(decoded(value))),
                _ if PARAMETERS.contains(&key) => kept.push(part),
                _ => return Err(unknown(key)),
            }
        }
        let shown = if kept.is_empty() {
            format!("postgres://{place}")
        } else {
            format!("postgres://{place}?{}", kept.join("&"))
        };
        let options = PgConnectOptions::from_str(&shown).map_err(no_url)?;
        if options.get_database().is_none() {
            return Err(wrong("it names no database"));
        }
        let options = match passfile {
            Some(path) => with_password(options, &path)?,
            None => options,
        };
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name(APPLICATION),
        };
        let options = options.disable_statement_logging();
        Ok(Self { options, shown })
    }

    /// The host, or the folder of the socket, and the port.
    pub(super) fn place(&self) -> String {
        let port = self.options.get_port();
        match self.options.get_socket() {
            Some(folder) => format!("{}:{port}", folder.display()),
            None => format!("{}:{port}", self.options.get_host()),
        }
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }
}

/// What `%41` and the like stand for. What is no such code stands for itself.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(code) if *first == b'%' => {
                bytes.push(code);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The rights of all but a file's owner.
const OTHERS: u32 = 0o077;

/// The text of a file of passwords. As with libpq it is of no use where others than its owner may read it.
fn passwords(path: &Path) -> Result<String, PostgresError> {
    let unreadable = |source| PostgresError::PassFile {
        path: path.to_owned(),
        source,
    };
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(PostgresError::OpenPassFile {
            path: path.to_owned(),
        });
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

/// The password of a file as libpq has it: lines of `host:port:database:user:password`, where `*` is anything.
fn with_password(
    options: PgConnectOptions,
    path: &Path,
) -> Result<PgConnectOptions, PostgresError> {
    let text = passwords(path)?;
    let host = match options.get_socket() {
        Some(_) => "localhost".to_owned(),
        None => options.get_host().to_owned(),
    };
    let wanted = [
        host,
        options.get_port().to_string(),
        options.get_database().unwrap_or_default().to_owned(),
        options.get_username().to_owned(),
    ];
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let password = lines.find_map(|line| password_of(line, &wanted));
    Ok(match password {
        Some(password) => options.password(&password),
        None => options,
    })
}

/// The password of a line, where the line is for this database.
fn password_of(line: &str, wanted: &[String; 4]) -> Option<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ':' if fields.len() <= wanted.len() => fields.push(String::new()),
            '\\' => fields.last_mut()?.push(letters.next()?),
            letter => fields.last_mut()?.push(letter),
        }
    }
    let (password, keys) = fields.split_last()?;
    let fits = keys.len() == wanted.len()
        && keys
            .iter()
            .zip(wanted)
            .all(|(key, wanted)| key == "*" || key == wanted);
    fits.then(|| password.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_database_and_never_a_password() {
        for text in [
            "postgres://exports@db.example.com/exports",
            "postgresql://db.example.com:5433/exports?sslmode=verify-full",
            "postgres:///exports?host=/run/postgresql&user=exports",
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            assert_eq!(url.options().get_database(), Some("exports"), "{text}");
        }
        let socket = DatabaseUrl::parse("postgres:///exports?host=/run/pg&user=u").unwrap();
        assert_eq!(socket.options().get_username(), "u");
        assert_eq!(socket.place(), "/run/pg:5432");
        let host = DatabaseUrl::parse("postgresql://u@db.example.com:5433/exports").unwrap();
        assert_eq!(host.place(), "db.example.com:5433");
        assert_eq!(socket.options().get_socket().unwrap(), Path::new("/run/pg"));
        for text in [
            "",
            "mysql://db/exports",
            "postgres://user:secret@db/exports",
            "postgres://db/exports?password=secret",
            "postgres://db/exports?sslmode=perhaps",
            "postgres://db",
        ] {
            let refused = DatabaseUrl::parse(text).unwrap_err();
            assert!(refused.is_misconfiguration(), "{text}");
            assert!(!refused.to_string().contains("secret"), "{text}");
        }
    }

    #[test]
    fn a_parameter_that_is_not_known_is_named_without_its_value() {
        for (query, named) in [
            ("sslmod=secret", Some("`sslmod`")),
            ("sslmode=require&pass=secret", Some("`pass`")),
            ("sslpassword=secret", Some("`sslpassword`")),
            ("Password=secret", Some("`Password`")),
            ("ssl-mode=secret", Some("`ssl-mode`")),
            (
                "options[search_path]=secret",
                Some("`options[search_path]`"),
            ),
            ("p%61ssword=secret", None),
            ("+password=secret", None),
            ("=secret", None),
            ("secret@db/exports", None),
            ("password=secret", None),
            ("sslmode=secret", None),
            ("port=secret", None),
            ("#sslmode=secret", None),
        ] {
            let refused = DatabaseUrl::parse(&format!("postgres://u@db/exports?{query}"));
            let refused = refused.expect_err(query);
            assert!(refused.is_misconfiguration(), "{query}");
            let said = refused.to_string();
            assert!(!said.contains("secret"), "{said}");
            assert!(named.is_none_or(|named| said.contains(named)), "{said}");
        }
        let halved = DatabaseUrl::parse("postgres://u:sec?ret@db/exports").unwrap_err();
        assert!(!halved.to_string().contains("ret@"), "{halved}");
    }

    #[test]
    fn every_parameter_that_is_known_is_heeded() {
        let plain = DatabaseUrl::parse("postgres://u@db/exports").unwrap();
        let plain = format!("{:?}", plain.options());
        for known in PARAMETERS {
            let value = match known {
                "hostaddr" => "192.0.2.1",
                "port" | "statement-cache-capacity" => "7",
                "sslmode" => "verify-full",
                _ => "other",
            };
            let url = DatabaseUrl::parse(&format!("postgres://u@db/exports?{known}={value}"));
            let found = format!("{:?}", url.expect(known).options());
            assert_ne!(found, plain, "{known}");
        }
    }

    #[test]
    fn a_password_comes_from_the_file_that_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pass file");
        std::fs::write(
            &path,
            "# hosts\nother:*:*:*:wrong\ndb:*:exports:u:a\\:b\\\\c\n*:*:*:*:last\n",
        )
        .unwrap();
        let name = path.to_str().unwrap().replace(' ', "%20");
        let text = format!("postgres://u@db/exports?passfile={name}");
        for mode in [0o640, 0o604] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let refused = DatabaseUrl::parse(&text).unwrap_err();
            assert!(matches!(refused, PostgresError::OpenPassFile { .. }));
            assert!(refused.is_misconfiguration() && refused.hint().is_some());
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let url = DatabaseUrl::parse(&text).unwrap();
        assert!(!format!("{url} {url:?}").contains("a:b"));
        assert!(url.options().to_url_lossy().as_str().contains("a%3Ab%5Cc"));
        let missing = DatabaseUrl::parse("postgres://u@db/exports?passfile=/nowhere");
        assert!(matches!(missing, Err(PostgresError::PassFile { .. })));
    }
}
