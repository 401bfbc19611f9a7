//! Readers of other people.

use std::path::Path;
use std::process::Command;

use domain::model::BagFormat;

const PYTHON_ZIP: &str = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as bag:
    assert bag.testzip() is None
    assert len(bag.namelist()) > 10
";
const PYTHON_TAR: &str = "
import sys, tarfile
with tarfile.open(sys.argv[1]) as bag:
    assert sum(len(bag.extractfile(member).read()) == member.size for member in bag if member.isfile()) > 10
";

/// Fails where one of them does not take the bag.
pub(crate) fn check(bag: &Path, format: BagFormat) {
    match format {
        BagFormat::Zip => {
            run("unzip", &["-tq"], bag);
            run("python3", &["-c", PYTHON_ZIP], bag);
        }
        BagFormat::Tar | BagFormat::TarGz => {
            run("tar", &["-tf"], bag);
            run("python3", &["-c", PYTHON_TAR], bag);
        }
    }
    if format == BagFormat::TarGz {
        run("gzip", &["-t"], bag);
    }
}

fn run(program: &str, arguments: &[&str], bag: &Path) {
    let ended = Command::new(program).args(arguments).arg(bag).output();
    let ended = ended.unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{program}: {said}");
}
