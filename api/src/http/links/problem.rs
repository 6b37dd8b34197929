//! Why a request by link was not carried out: a status, a stable code, and what to do. Nothing was changed.

use super::words::Language;
use axum::http::StatusCode;
use commands::bus::Refused;
use commands::links::LinkError;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// The link itself.
    Link(LinkError),
    /// The person is not known any more.
    Gone,
    /// Where the link led is not kept any more.
    NoTarget,
    /// The category cannot be switched off.
    Required,
    /// The form is none of ours.
    Form,
    /// The quiet hours are none.
    QuietHours,
    /// No more switches.
    TooManySwitches,
    /// Come later.
    TooMany,
    /// The log or a read model refuses for now.
    Unavailable,
}

impl Problem {
    /// What a load or a command ended in, other than the aggregate's own refusal.
    pub fn of_bus<R: std::fmt::Debug>(error: &Refused<R>) -> Self {
        if matches!(error, Refused::Erased) {
            return Self::Gone;
        }
        tracing::warn!(?error, "a request by link could not be carried out");
        Self::Unavailable
    }

    /// The HTTP status.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Link(LinkError::Invalid | LinkError::OtherPurpose) | Self::Form | Self::QuietHours => StatusCode::BAD_REQUEST,
            Self::Link(LinkError::Expired) | Self::Gone | Self::NoTarget => StatusCode::GONE,
            Self::Required | Self::TooManySwitches => StatusCode::CONFLICT,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Link(LinkError::Invalid) => "LINK_INVALID",
            Self::Link(LinkError::OtherPurpose) => "LINK_OTHER_PURPOSE",
            Self::Link(LinkError::Expired) => "LINK_EXPIRED",
            Self::Gone => "LINK_GONE",
            Self::NoTarget => "LINK_TARGET_GONE",
            Self::Required => "REQUIRED_CATEGORY",
            Self::Form => "FORM_INVALID",
            Self::QuietHours => "QUIET_HOURS_INVALID",
            Self::TooManySwitches => "TOO_MANY_SWITCHES",
            Self::TooMany => "RATE_LIMITED",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    /// Seconds after which to come again, where that helps.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::TooMany => Some(1),
            Self::Unavailable => Some(5),
            _ => None,
        }
    }

    /// What to do.
    pub const fn message(self, language: Language) -> &'static str {
        match language {
            Language::English => match self {
                Self::Link(LinkError::Invalid) => "This link is not valid. It may have been cut off: open it again from the message.",
                Self::Link(LinkError::OtherPurpose) => "This link is for another page. Open it again from the message.",
                Self::Link(LinkError::Expired) => "This link has expired. Use the link in a newer message.",
                Self::Gone => "We hold nothing about you any more, so there is nothing to change.",
                Self::NoTarget => "Where this link led is not kept any more. Look for it on the sender's own site.",
                Self::Required => "These are required notices, for instance about security, and cannot be switched off.",
                Self::Form => "The form could not be read. Go back, reload the page and try again.",
                Self::QuietHours => "Quiet hours need a beginning and an end that differ, and must leave some hour in which messages may come.",
                Self::TooManySwitches => "You have changed more switches than can be kept. Switch off a whole channel or everything instead.",
                Self::TooMany => "Too many requests. Wait a moment and try again.",
                Self::Unavailable => "This cannot be done at the moment. Try again in a few seconds.",
            },
            Language::Korean => match self {
                Self::Link(LinkError::Invalid) => "유효하지 않은 링크입니다. 링크가 잘렸을 수 있으니 메시지에서 다시 열어 주세요.",
                Self::Link(LinkError::OtherPurpose) => "다른 페이지의 링크입니다. 메시지에서 다시 열어 주세요.",
                Self::Link(LinkError::Expired) => "만료된 링크입니다. 더 최근에 받은 메시지의 링크를 이용해 주세요.",
                Self::Gone => "보관 중인 정보가 없어 변경할 내용이 없습니다.",
                Self::NoTarget => "이 링크의 목적지는 더 이상 보관되지 않습니다. 보낸 곳의 사이트에서 직접 찾아 주세요.",
                Self::Required => "보안 안내와 같은 필수 알림은 끌 수 없습니다.",
                Self::Form => "양식을 읽을 수 없습니다. 이전 페이지를 새로 고친 뒤 다시 시도해 주세요.",
                Self::QuietHours => "방해 금지 시간은 시작과 끝이 달라야 하며, 알림을 받을 수 있는 시간이 남아 있어야 합니다.",
                Self::TooManySwitches => "저장할 수 있는 설정 수를 넘었습니다. 채널 전체 또는 모든 알림을 꺼 주세요.",
                Self::TooMany => "요청이 너무 많습니다. 잠시 후 다시 시도해 주세요.",
                Self::Unavailable => "지금은 처리할 수 없습니다. 잠시 후 다시 시도해 주세요.",
            },
        }
    }
}
