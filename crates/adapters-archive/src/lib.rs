//! The archive sink and journal ports over zip, tar and tar.gz files; bags read back and verified; age encryption.
