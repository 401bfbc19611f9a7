use crate::auth::{Caller, Gate};
use crate::problem::Problem;
use domain::model::UserId;

pub(super) trait CallerExt {
    fn is_administrator(&self) -> bool;
}
impl CallerExt for Caller {
    fn is_administrator(&self) -> bool {
        self.owner.as_str() == "root"
    }
}
pub(super) trait GateExt {
    async fn subject_of(&self, caller: &Caller, user: &UserId) -> Result<UserId, Problem>;
}
impl GateExt for Gate {
    async fn subject_of(&self, caller: &Caller, user: &UserId) -> Result<UserId, Problem> {
        if caller.is_administrator() {
            Ok(user.clone())
        } else {
            Err(Problem::Forbidden)
        }
    }
}
