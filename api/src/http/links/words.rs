//! What the pages say, in English and Korean.

use domain::values::Channel;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Korean,
}

impl Language {
    /// For `lang` and `Content-Language`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }

    /// The language of a BCP 47 tag, if it is one of ours.
    pub fn of_tag(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()?.trim().to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "ko" => Some(Self::Korean),
            _ => None,
        }
    }

    /// The one of ours that an `Accept-Language` wants most (RFC 9110 section 12.5.4).
    pub fn preferred(header: &str) -> Option<Self> {
        let wanted = header.split(',').take(32).filter_map(|range| {
            let (tag, parameter) = range.split_once(';').unwrap_or((range, ""));
            let weight: f32 = parameter.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.parse().ok())?;
            Some((Self::of_tag(tag)?, weight)).filter(|(_, weight)| *weight > 0.0)
        });
        // The first of equals.
        wanted.fold(None::<(Self, f32)>, |best, next| if best.is_some_and(|best| best.1 >= next.1) { best } else { Some(next) }).map(|(language, _)| language)
    }

    /// The words.
    pub const fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::Korean => &KOREAN,
        }
    }

    /// A channel, for people.
    pub const fn channel(self, channel: Channel) -> &'static str {
        match (self, channel) {
            (Self::English, Channel::InApp) => "In the app",
            (Self::English, Channel::AndroidPush) => "Push on Android",
            (Self::English, Channel::IosPush) => "Push on iPhone, iPad and Mac",
            (Self::English, Channel::Email) => "E-mail",
            (Self::English, Channel::Webhook) => "Webhook",
            (Self::English, Channel::Sms) => "Text message (SMS)",
            (Self::English, Channel::Voice) => "Phone call",
            (Self::English, Channel::WebPush) => "Push in the browser",
            (Self::English, Channel::Chat) => "Chat",
            (Self::English, Channel::KakaoTalk) => "KakaoTalk (AlimTalk)",
            (Self::Korean, Channel::InApp) => "앱 안 알림",
            (Self::Korean, Channel::AndroidPush) => "안드로이드 푸시",
            (Self::Korean, Channel::IosPush) => "iPhone, iPad, Mac 푸시",
            (Self::Korean, Channel::Email) => "이메일",
            (Self::Korean, Channel::Webhook) => "웹훅",
            (Self::Korean, Channel::Sms) => "문자 메시지",
            (Self::Korean, Channel::Voice) => "음성 전화",
            (Self::Korean, Channel::WebPush) => "브라우저 푸시",
            (Self::Korean, Channel::Chat) => "채팅",
            (Self::Korean, Channel::KakaoTalk) => "카카오톡 (알림톡)",
        }
    }
}

/// See the module. `{}` stands for a category's name, a time zone or a moment.
pub(super) struct Words {
    pub unsubscribe: &'static str,
    pub question: &'static str,
    pub question_all: &'static str,
    pub this_category: &'static str,
    pub everything: &'static str,
    pub is_off: &'static str,
    pub is_off_all: &'static str,
    pub done: &'static str,
    pub done_all: &'static str,
    pub undo: &'static str,
    pub undone: &'static str,
    pub undone_all: &'static str,
    pub required: &'static str,
    pub everything_else: &'static str,
    pub not_done: &'static str,
    pub code: &'static str,
    pub preferences: &'static str,
    pub saved: &'static str,
    pub nothing_changed: &'static str,
    pub nothing: &'static str,
    pub nothing_note: &'static str,
    pub untracked: &'static str,
    pub channels: &'static str,
    pub categories: &'static str,
    pub search: &'static str,
    pub search_button: &'static str,
    pub none_found: &'static str,
    pub more: &'static str,
    pub always: &'static str,
    pub quiet_hours: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    pub zone: &'static str,
    pub by_day: &'static str,
    pub no_quiet_hours: &'static str,
    pub do_not_disturb: &'static str,
    pub as_it_is: &'static str,
    pub off: &'static str,
    pub until: &'static str,
    pub one_hour: &'static str,
    pub eight_hours: &'static str,
    pub one_day: &'static str,
    pub one_week: &'static str,
    pub preferred: &'static str,
    pub preferred_note: &'static str,
    pub save: &'static str,
}

static ENGLISH: Words = Words {
    unsubscribe: "Unsubscribe",
    question: "Do you want no more messages of the kind “{}”?",
    question_all: "Do you want no more messages?",
    this_category: "Only “{}”",
    everything: "Everything except required notices",
    is_off: "“{}” is switched off for you.",
    is_off_all: "Everything except required notices is switched off for you.",
    done: "Done. You will get no more messages of the kind “{}”.",
    done_all: "Done. You will get nothing more except required notices.",
    undo: "Undo: subscribe again",
    undone: "You will get messages of the kind “{}” again.",
    undone_all: "You will get messages again, as you had chosen before.",
    required: "“{}” is a kind of required notice, for instance about security, and cannot be switched off.",
    everything_else: "You can switch off everything else.",
    not_done: "Nothing was changed",
    code: "Code",
    preferences: "Your notification settings",
    saved: "Your settings are saved.",
    nothing_changed: "There was nothing to change.",
    nothing: "Send me nothing except required notices",
    nothing_note: "Your choices below are kept, and count again when you untick this.",
    untracked: "Do not record whether I open e-mails or follow their links",
    channels: "How we may reach you",
    categories: "What we may tell you",
    search: "Search kinds of messages",
    search_button: "Search",
    none_found: "No kind of message fits.",
    more: "There are {} more; search for them.",
    always: "Required: always sent",
    quiet_hours: "Quiet hours",
    from: "From",
    to: "To",
    zone: "Every day, in the time zone {}.",
    by_day: "Your quiet hours differ from day to day. They stay as they are unless you enter others here.",
    no_quiet_hours: "No quiet hours any more",
    do_not_disturb: "Do not disturb",
    as_it_is: "Leave as it is",
    off: "Off",
    until: "On until {}.",
    one_hour: "For one hour",
    eight_hours: "For eight hours",
    one_day: "For one day",
    one_week: "For one week",
    preferred: "Channels you prefer",
    preferred_note: "Used where the sender leaves the choice.",
    save: "Save",
};

static KOREAN: Words = Words {
    unsubscribe: "수신 거부",
    question: "“{}” 알림을 더 이상 받지 않으시겠습니까?",
    question_all: "알림을 더 이상 받지 않으시겠습니까?",
    this_category: "“{}” 알림만",
    everything: "필수 알림을 제외한 모든 알림",
    is_off: "“{}” 알림이 꺼져 있습니다.",
    is_off_all: "필수 알림을 제외한 모든 알림이 꺼져 있습니다.",
    done: "처리되었습니다. 이제 “{}” 알림을 보내지 않습니다.",
    done_all: "처리되었습니다. 이제 필수 알림 외에는 보내지 않습니다.",
    undo: "되돌리기: 다시 받기",
    undone: "“{}” 알림을 다시 받습니다.",
    undone_all: "이전에 선택하신 대로 알림을 다시 받습니다.",
    required: "“{}” 알림은 보안 안내와 같은 필수 알림이므로 끌 수 없습니다.",
    everything_else: "그 밖의 모든 알림은 끌 수 있습니다.",
    not_done: "변경된 내용이 없습니다",
    code: "코드",
    preferences: "알림 설정",
    saved: "설정을 저장했습니다.",
    nothing_changed: "변경할 내용이 없습니다.",
    nothing: "필수 알림 외에는 받지 않기",
    nothing_note: "아래의 선택은 그대로 보관되며, 이 항목을 해제하면 다시 적용됩니다.",
    untracked: "이메일을 열거나 링크를 누른 기록을 남기지 않기",
    channels: "알림을 받을 방법",
    categories: "받을 알림",
    search: "알림 종류 검색",
    search_button: "검색",
    none_found: "해당하는 알림이 없습니다.",
    more: "{}개가 더 있습니다. 검색해 주세요.",
    always: "필수: 항상 발송됩니다",
    quiet_hours: "방해 금지 시간",
    from: "시작",
    to: "끝",
    zone: "매일, {} 시간대 기준입니다.",
    by_day: "요일마다 다른 방해 금지 시간이 설정되어 있습니다. 여기에 새로 입력하지 않으면 그대로 유지됩니다.",
    no_quiet_hours: "방해 금지 시간 없애기",
    do_not_disturb: "알림 일시 중지",
    as_it_is: "그대로 두기",
    off: "끄기",
    until: "{}까지 켜져 있습니다.",
    one_hour: "1시간 동안",
    eight_hours: "8시간 동안",
    one_day: "하루 동안",
    one_week: "일주일 동안",
    preferred: "선호하는 방법",
    preferred_note: "보내는 쪽이 방법을 정하지 않았을 때 사용합니다.",
    save: "저장",
};

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn the_language_that_is_wanted_most() {
        for (header, wanted) in [
            ("ko-KR,ko;q=0.9,en-US;q=0.8", Some(Language::Korean)),
            ("en;q=0.5, ko;q=0.6", Some(Language::Korean)),
            ("fr, de;q=0.9, en;q=0.1", Some(Language::English)),
            ("ko;q=0, en;q=0.1", Some(Language::English)),
            ("en, ko", Some(Language::English)),
            ("fr", None),
            ("", None),
            ("ko;q=x", None),
        ] {
            assert_eq!(Language::preferred(header), wanted, "{header}");
        }
    }
}
