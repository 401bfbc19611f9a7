//! Readers of other people.

use std::path::Path;
use std::process::Command;

use domain::model::BagFormat;
use tests::kit::S3;

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
    validate(bag);
}

/// Unpacks the bag, and has the BagIt tool of the Library of Congress look at it.
fn validate(bag: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let below = folder.path().display().to_string();
    let unpack = "import sys, shutil; shutil.unpack_archive(sys.argv[2], sys.argv[1])";
    run("python3", &["-c", unpack, &below], bag);
    let unpacked = std::fs::read_dir(folder.path()).expect("a folder").next();
    let unpacked = unpacked.expect("one folder").expect("one folder").path();
    let server = S3::program().expect("it runs");
    let tool = server.with_file_name("bagit.py").display().to_string();
    run(&tool, &["--validate", "--quiet"], &unpacked);
}

fn run(program: &str, arguments: &[&str], bag: &Path) {
    let ended = Command::new(program).args(arguments).arg(bag).output();
    let ended = ended.unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{program}: {said}");
}
