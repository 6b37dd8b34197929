//! The configuration that points a server to the simulators.

use std::path::Path;
use workers::simulators::RunningSimulators;

/// As a file for `bongsu serve --config`. Credentials are named as files beside it.
pub(in crate::cli) fn toml(running: &RunningSimulators, state: &Path) -> String {
    let file = |name: &str| quoted(&state.join(name).display().to_string());
    let credentials = &running.credentials;
    format!(
        "# Written by `bongsu simulate` at each start: points a server to the simulators.

[providers.fcm]
service_account_file = {fcm_file}
endpoint = {fcm}

[providers.apns]
key_file = {apns_file}
key_id = {key_id}
team_id = {team_id}
topic = {topic}
endpoint = {apns}
ca_file = {ca}

[providers.smtp]
host = {smtp_host}
port = {smtp_port}
encryption = \"starttls\"
username = {username}
password_file = {password_file}
from = \"Bongsu <notify@example.com>\"
ca_file = {ca}

[providers.webhook]
allow_http = true
allow_private = [\"127.0.0.0/8\"]

[providers.twilio]
account_sid = {twilio_account}
auth_token_file = {twilio_token}
from = {twilio_from}
# Signed for; where the simulator really calls is told to it by POST /_sim/callbacks.
status_callback = \"https://notify.example.com/callbacks/twilio\"
endpoint = {twilio}

[providers.web_push]
private_key_file = {vapid}
subject = \"mailto:notify@example.com\"

[providers.slack]
endpoint = {slack}

# A second provider of text messages: switch it on to try both.
[providers.vonage]
enabled = false
api_key = {vonage_key}
api_secret_file = {vonage_secret}
signature_secret_file = {vonage_secret}
from = {vonage_from}
endpoint = {vonage}

[providers.twilio_voice]
account_sid = {twilio_account}
auth_token_file = {twilio_token}
from = {twilio_from}
status_callback = \"https://notify.example.com/callbacks/twilio_voice\"
endpoint = {twilio_voice}

# More providers of e-mail: switch them on to try several.
[providers.sendgrid]
enabled = false
api_key_file = {sendgrid_key}
callback_key = {sendgrid_callback}
from = \"Bongsu <notify@{mail_domain}>\"
endpoint = {sendgrid}

[providers.mailgun]
enabled = false
api_key_file = {mailgun_key}
signing_key_file = {mailgun_key}
domain = {quoted_domain}
from = \"Bongsu <notify@{mail_domain}>\"
endpoint = {mailgun}

# Of the templates that the simulator knows, this one takes any text; ORDER_PAID wants name and order.
[providers.kakao_talk]
app_key = {kakao_app_key}
secret_key_file = {kakao_secret}
sender_key = {kakao_sender_key}
template = {kakao_template}
sms_fallback_from = {kakao_fallback}
webhook_signature_file = {kakao_secret}
endpoint = {kakao_talk}

# The simulators call nobody, so every number will do.
[channels.sms]
countries = [\"all\"]

[channels.voice]
countries = [\"all\"]
",
        fcm_file = file("fcm.json"),
        fcm = quoted(&format!("http://{}", running.fcm)),
        apns_file = file("apns.p8"),
        key_id = quoted(&credentials.apns_key_id),
        team_id = quoted(&credentials.apns_team_id),
        topic = quoted(&credentials.apns_topic),
        apns = quoted(&format!("https://{}", running.apns)),
        ca = file("ca.pem"),
        smtp_host = quoted(&running.smtp.ip().to_string()),
        smtp_port = running.smtp.port(),
        username = quoted(&credentials.smtp_username),
        password_file = file("smtp.password"),
        twilio_account = quoted(&credentials.twilio_account_sid),
        twilio_token = file("twilio.token"),
        twilio_from = quoted(&credentials.twilio_from),
        twilio = quoted(&format!("http://{}", running.twilio)),
        vapid = file("vapid.key"),
        slack = quoted(&format!("http://{}/", running.slack)),
        vonage_key = quoted(&credentials.vonage_api_key),
        vonage_secret = file("vonage.secret"),
        vonage_from = quoted(&credentials.vonage_from),
        vonage = quoted(&format!("http://{}", running.vonage)),
        twilio_voice = quoted(&format!("http://{}", running.twilio_voice)),
        sendgrid_key = file("sendgrid.key"),
        sendgrid = quoted(&format!("http://{}", running.sendgrid)),
        sendgrid_callback = quoted(&credentials.sendgrid_callback_key),
        mailgun_key = file("mailgun.key"),
        mailgun = quoted(&format!("http://{}", running.mailgun)),
        kakao_app_key = quoted(&credentials.kakao_app_key),
        kakao_secret = file("kakao.secret"),
        kakao_sender_key = quoted(&credentials.kakao_sender_key),
        kakao_template = quoted(&credentials.kakao_template),
        kakao_fallback = quoted(&credentials.kakao_fallback_from),
        kakao_talk = quoted(&format!("http://{}", running.kakao_talk)),
        mail_domain = credentials.mail_domain,
        quoted_domain = quoted(&credentials.mail_domain),
    )
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
