//! A question to a person, who may also answer with Ctrl-C.

use crate::render::Ui;

/// Asks on the terminal; none where nothing was answered. Reading waits on a thread of its own, which dies with the
/// process: where this one waited, no signal would be heard.
pub(super) async fn ask(ui: &Ui, question: String) -> Option<String> {
    let (tell, answer) = tokio::sync::oneshot::channel();
    let ui = ui.clone();
    let asking = std::thread::Builder::new().spawn(move || tell.send(ui.ask(&question)));
    asking.ok()?;
    answer.await.ok().flatten()
}
