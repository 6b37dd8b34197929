//! A credential that is used too often delays only itself.

use anyhow::Result;
use serde_json::json;
use tests::App;

#[tokio::test]
async fn who_floods_is_told_to_wait_and_nobody_else_notices() -> Result<()> {
    let app = App::with("\n[limits]\nkey_requests = 20\n").await?;
    let (loud, quiet) = (app.sender("loud").await?, app.sender("quiet").await?);
    let mut refused = 0;
    for _ in 0..200 {
        let answer = loud.ask("{ __typename }", json!({})).await?;
        if answer.status == 429 {
            assert_eq!(answer.code()?, "RATE_LIMITED");
            refused += 1;
        }
    }
    assert!(refused > 0, "200 requests at once were let through at 20 a second");
    assert_eq!(quiet.ask("{ __typename }", json!({})).await?.status, 200);
    Ok(())
}
