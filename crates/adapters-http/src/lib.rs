//! The user data port over the REST interface of UForge AppCenter.
