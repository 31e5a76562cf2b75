//! A small tournament on the embedded sandbox: two players, three registrations.

use serde_json::Value;
use tourney::sandbox::core::Control;

use super::Folder;

const MANIFEST: &str = "\
version: 1
tournament: {id: spring-camp, name: Spring Camp, currency: usd}
fees:
  - {id: camp, name: Camp week, amount: 240.00}
  - {id: 7, name: Shirt, amount: 18.00}
players:
  - {id: 1, name: Robin Sample, email: sample.family@example.com, fees: [camp, 7]}
  - {id: kim, name: =SUM(A1), email: dune@example.com, fee: camp, note: pays late}
";

/// Its manifest stands; nothing was applied.
pub(crate) fn camp() -> Folder {
    Folder::new().with("tournament.yaml", MANIFEST)
}

/// It has been applied: three pending orders, three open sessions.
pub(crate) fn applied_camp() -> Folder {
    let folder = camp();
    folder.tourney(["apply", "--yes"]).run().expect(0);
    folder
}

/// The same with Payment Links in the place of sessions.
pub(crate) fn linked_camp() -> Folder {
    let folder = Folder::new().with("tournament.yaml", &format!("{MANIFEST}policy: {{link: payment_link}}\n"));
    folder.tourney(["apply", "--yes"]).run().expect(0);
    folder
}

/// Something happens at the sandbox's Stripe.
pub(crate) fn control(folder: &Folder, command: Control) -> Value {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let sandbox = tourney::sandbox::open(&folder.path(".tourney")).await.unwrap();
        let answer = sandbox.control(command).await.unwrap();
        sandbox.close().await;
        answer
    })
}
