//! The adaptor around a bot.

use teloxide::{RequestError, prelude::Requester, types::*};
use url::Url;

use crate::{recorder::Recorder, request::RecordedRequest};

/// A bot that records users as unreachable when Telegram refuses a message to them: they blocked the
/// bot, deleted their account or never started the bot. Everything else is as with the bot inside, which
/// may be another adaptor, such as `Throttle`.
///
/// Create one with [`Recorder::bot`].
#[derive(Clone, Debug)]
pub struct RecordedBot<B> {
    inner: B,
    recorder: Recorder,
}

impl<B> RecordedBot<B> {
    pub(crate) fn new(inner: B, recorder: Recorder) -> Self {
        Self { inner, recorder }
    }

    /// The bot inside.
    pub fn inner(&self) -> &B {
        &self.inner
    }
}

/// The user in whose private chat a message goes; groups and channels have negative ids.
fn user_of(recipient: &Recipient) -> Option<i64> {
    match recipient {
        Recipient::Id(ChatId(id)) if *id > 0 => Some(*id),
        _ => None,
    }
}

impl Recorder {
    /// A bot that records which users cannot be reached; see [`RecordedBot`].
    pub fn bot<B>(&self, bot: B) -> RecordedBot<B> {
        RecordedBot::new(bot, self.clone())
    }
}

/// Implements every method of teloxide's trait: those that send to a chat with a record of the outcome,
/// the others by the bot inside.
macro_rules! requester {
    (
        to_chats { $(
            $type:ident $method:ident $(<$($generic:ident: $bound:path),*>)?
            ($to:ident: $to_type:ty $(, $argument:ident: $argument_type:ty)*);
        )* }
        others { $(
            $other:ident $other_method:ident $(<$($other_generic:ident: $other_bound:path),*>)?
            ($($other_argument:ident: $other_type:ty),*);
        )* }
    ) => {
        impl<B: Requester<Err = RequestError>> Requester for RecordedBot<B> {
            type Err = RequestError;

            $(
                type $type = RecordedRequest<B::$type>;

                fn $method$(<$($generic: $bound),*>)?(
                    &self,
                    $to: $to_type,
                    $($argument: $argument_type),*
                ) -> Self::$type {
                    let recipient: Recipient = $to.into();
                    let user = user_of(&recipient);
                    let request = self.inner.$method(recipient, $($argument),*);
                    RecordedRequest::new(request, user, self.recorder.clone())
                }
            )*
            $(
                type $other = B::$other;

                fn $other_method$(<$($other_generic: $other_bound),*>)?(
                    &self,
                    $($other_argument: $other_type),*
                ) -> Self::$other {
                    self.inner.$other_method($($other_argument),*)
                }
            )*
        }
    };
}

requester! {
to_chats {
    SendMessage send_message<C: Into<Recipient>, T: Into<String>>(chat_id: C, text: T);
    ForwardMessage forward_message<C: Into<Recipient>, F: Into<Recipient>>(chat_id: C, from_chat_id: F, message_id: MessageId);
    ForwardMessages forward_messages<C: Into<Recipient>, F: Into<Recipient>, M: IntoIterator<Item = MessageId>>(chat_id: C, from_chat_id: F, message_ids: M);
    CopyMessage copy_message<C: Into<Recipient>, F: Into<Recipient>>(chat_id: C, from_chat_id: F, message_id: MessageId);
    CopyMessages copy_messages<C: Into<Recipient>, F: Into<Recipient>, M: IntoIterator<Item = MessageId>>(chat_id: C, from_chat_id: F, message_ids: M);
    SendPhoto send_photo<C: Into<Recipient>>(chat_id: C, photo: InputFile);
    SendAudio send_audio<C: Into<Recipient>>(chat_id: C, audio: InputFile);
    SendDocument send_document<C: Into<Recipient>>(chat_id: C, document: InputFile);
    SendVideo send_video<C: Into<Recipient>>(chat_id: C, video: InputFile);
    SendAnimation send_animation<C: Into<Recipient>>(chat_id: C, animation: InputFile);
    SendVoice send_voice<C: Into<Recipient>>(chat_id: C, voice: InputFile);
    SendVideoNote send_video_note<C: Into<Recipient>>(chat_id: C, video_note: InputFile);
    SendPaidMedia send_paid_media<C: Into<Recipient>, M: IntoIterator<Item = InputPaidMedia>>(chat_id: C, star_count: u32, media: M);
    SendMediaGroup send_media_group<C: Into<Recipient>, M: IntoIterator<Item = InputMedia>>(chat_id: C, media: M);
    SendLocation send_location<C: Into<Recipient>>(chat_id: C, latitude: f64, longitude: f64);
    SendVenue send_venue<C: Into<Recipient>, T: Into<String>, A: Into<String>>(chat_id: C, latitude: f64, longitude: f64, title: T, address: A);
    SendContact send_contact<C: Into<Recipient>, P: Into<String>, F: Into<String>>(chat_id: C, phone_number: P, first_name: F);
    SendPoll send_poll<C: Into<Recipient>, Q: Into<String>, O: IntoIterator<Item = InputPollOption>>(chat_id: C, question: Q, options: O);
    SendDice send_dice<C: Into<Recipient>>(chat_id: C);
    SendChatAction send_chat_action<C: Into<Recipient>>(chat_id: C, action: ChatAction);
    SendSticker send_sticker<C: Into<Recipient>>(chat_id: C, sticker: InputFile);
    SendGiftChat send_gift_chat<C: Into<Recipient>>(chat_id: C, gift_id: GiftId);
    SendInvoice send_invoice<Ch: Into<Recipient>, T: Into<String>, D: Into<String>, Pa: Into<String>, C: Into<String>, P: IntoIterator<Item = LabeledPrice>>(chat_id: Ch, title: T, description: D, payload: Pa, currency: C, prices: P);
}
others {
    GetUpdates get_updates();
    SetWebhook set_webhook(url: Url);
    DeleteWebhook delete_webhook();
    GetWebhookInfo get_webhook_info();
    GetMe get_me();
    LogOut log_out();
    Close close();
    EditMessageLiveLocation edit_message_live_location<C: Into<Recipient>>(chat_id: C, message_id: MessageId, latitude: f64, longitude: f64);
    EditMessageLiveLocationInline edit_message_live_location_inline<I: Into<String>>(inline_message_id: I, latitude: f64, longitude: f64);
    StopMessageLiveLocation stop_message_live_location<C: Into<Recipient>>(chat_id: C, message_id: MessageId);
    StopMessageLiveLocationInline stop_message_live_location_inline<I: Into<String>>(inline_message_id: I);
    EditMessageChecklist edit_message_checklist<C: Into<ChatId>>(business_connection_id: BusinessConnectionId, chat_id: C, message_id: MessageId, checklist: InputChecklist);
    SendChecklist send_checklist<C: Into<ChatId>>(business_connection_id: BusinessConnectionId, chat_id: C, checklist: InputChecklist);
    SetMessageReaction set_message_reaction<C: Into<Recipient>>(chat_id: C, message_id: MessageId);
    GetUserProfilePhotos get_user_profile_photos(user_id: UserId);
    SetUserEmojiStatus set_user_emoji_status(user_id: UserId);
    GetFile get_file(file_id: FileId);
    BanChatMember ban_chat_member<C: Into<Recipient>>(chat_id: C, user_id: UserId);
    KickChatMember kick_chat_member<C: Into<Recipient>>(chat_id: C, user_id: UserId);
    UnbanChatMember unban_chat_member<C: Into<Recipient>>(chat_id: C, user_id: UserId);
    RestrictChatMember restrict_chat_member<C: Into<Recipient>>(chat_id: C, user_id: UserId, permissions: ChatPermissions);
    PromoteChatMember promote_chat_member<C: Into<Recipient>>(chat_id: C, user_id: UserId);
    SetChatAdministratorCustomTitle set_chat_administrator_custom_title<Ch: Into<Recipient>, C: Into<String>>(chat_id: Ch, user_id: UserId, custom_title: C);
    BanChatSenderChat ban_chat_sender_chat<C: Into<Recipient>, S: Into<ChatId>>(chat_id: C, sender_chat_id: S);
    UnbanChatSenderChat unban_chat_sender_chat<C: Into<Recipient>, S: Into<ChatId>>(chat_id: C, sender_chat_id: S);
    SetChatPermissions set_chat_permissions<C: Into<Recipient>>(chat_id: C, permissions: ChatPermissions);
    ExportChatInviteLink export_chat_invite_link<C: Into<Recipient>>(chat_id: C);
    CreateChatInviteLink create_chat_invite_link<C: Into<Recipient>>(chat_id: C);
    EditChatInviteLink edit_chat_invite_link<C: Into<Recipient>, I: Into<String>>(chat_id: C, invite_link: I);
    CreateChatSubscriptionInviteLink create_chat_subscription_invite_link<C: Into<Recipient>>(chat_id: C, subscription_period: Seconds, subscription_price: u32);
    EditChatSubscriptionInviteLink edit_chat_subscription_invite_link<C: Into<Recipient>, I: Into<String>>(chat_id: C, invite_link: I);
    RevokeChatInviteLink revoke_chat_invite_link<C: Into<Recipient>, I: Into<String>>(chat_id: C, invite_link: I);
    ApproveChatJoinRequest approve_chat_join_request<C: Into<Recipient>>(chat_id: C, user_id: UserId);
    DeclineChatJoinRequest decline_chat_join_request<C: Into<Recipient>>(chat_id: C, user_id: UserId);
    SetChatPhoto set_chat_photo<C: Into<Recipient>>(chat_id: C, photo: InputFile);
    DeleteChatPhoto delete_chat_photo<C: Into<Recipient>>(chat_id: C);
    SetChatTitle set_chat_title<C: Into<Recipient>, T: Into<String>>(chat_id: C, title: T);
    SetChatDescription set_chat_description<C: Into<Recipient>>(chat_id: C);
    PinChatMessage pin_chat_message<C: Into<Recipient>>(chat_id: C, message_id: MessageId);
    UnpinChatMessage unpin_chat_message<C: Into<Recipient>>(chat_id: C);
    UnpinAllChatMessages unpin_all_chat_messages<C: Into<Recipient>>(chat_id: C);
    LeaveChat leave_chat<C: Into<Recipient>>(chat_id: C);
    GetChat get_chat<C: Into<Recipient>>(chat_id: C);
    GetChatAdministrators get_chat_administrators<C: Into<Recipient>>(chat_id: C);
    GetChatMemberCount get_chat_member_count<C: Into<Recipient>>(chat_id: C);
    GetChatMembersCount get_chat_members_count<C: Into<Recipient>>(chat_id: C);
    GetChatMember get_chat_member<C: Into<Recipient>>(chat_id: C, user_id: UserId);
    SetChatStickerSet set_chat_sticker_set<C: Into<Recipient>, S: Into<String>>(chat_id: C, sticker_set_name: S);
    DeleteChatStickerSet delete_chat_sticker_set<C: Into<Recipient>>(chat_id: C);
    GetForumTopicIconStickers get_forum_topic_icon_stickers();
    CreateForumTopic create_forum_topic<C: Into<Recipient>, N: Into<String>>(chat_id: C, name: N);
    EditForumTopic edit_forum_topic<C: Into<Recipient>>(chat_id: C, message_thread_id: ThreadId);
    CloseForumTopic close_forum_topic<C: Into<Recipient>>(chat_id: C, message_thread_id: ThreadId);
    ReopenForumTopic reopen_forum_topic<C: Into<Recipient>>(chat_id: C, message_thread_id: ThreadId);
    DeleteForumTopic delete_forum_topic<C: Into<Recipient>>(chat_id: C, message_thread_id: ThreadId);
    UnpinAllForumTopicMessages unpin_all_forum_topic_messages<C: Into<Recipient>>(chat_id: C, message_thread_id: ThreadId);
    EditGeneralForumTopic edit_general_forum_topic<C: Into<Recipient>, N: Into<String>>(chat_id: C, name: N);
    CloseGeneralForumTopic close_general_forum_topic<C: Into<Recipient>>(chat_id: C);
    ReopenGeneralForumTopic reopen_general_forum_topic<C: Into<Recipient>>(chat_id: C);
    HideGeneralForumTopic hide_general_forum_topic<C: Into<Recipient>>(chat_id: C);
    UnhideGeneralForumTopic unhide_general_forum_topic<C: Into<Recipient>>(chat_id: C);
    UnpinAllGeneralForumTopicMessages unpin_all_general_forum_topic_messages<C: Into<Recipient>>(chat_id: C);
    AnswerCallbackQuery answer_callback_query(callback_query_id: CallbackQueryId);
    GetUserChatBoosts get_user_chat_boosts<C: Into<Recipient>>(chat_id: C, user_id: UserId);
    SetMyCommands set_my_commands<C: IntoIterator<Item = BotCommand>>(commands: C);
    GetBusinessConnection get_business_connection(business_connection_id: BusinessConnectionId);
    GetMyCommands get_my_commands();
    SetMyName set_my_name();
    GetMyName get_my_name();
    SetMyDescription set_my_description();
    GetMyDescription get_my_description();
    SetMyShortDescription set_my_short_description();
    GetMyShortDescription get_my_short_description();
    SetChatMenuButton set_chat_menu_button();
    GetChatMenuButton get_chat_menu_button();
    SetMyDefaultAdministratorRights set_my_default_administrator_rights();
    GetMyDefaultAdministratorRights get_my_default_administrator_rights();
    DeleteMyCommands delete_my_commands();
    AnswerInlineQuery answer_inline_query<R: IntoIterator<Item = InlineQueryResult>>(inline_query_id: InlineQueryId, results: R);
    AnswerWebAppQuery answer_web_app_query<W: Into<String>>(web_app_query_id: W, result: InlineQueryResult);
    SavePreparedInlineMessage save_prepared_inline_message(user_id: UserId, result: InlineQueryResult);
    EditMessageText edit_message_text<C: Into<Recipient>, T: Into<String>>(chat_id: C, message_id: MessageId, text: T);
    EditMessageTextInline edit_message_text_inline<I: Into<String>, T: Into<String>>(inline_message_id: I, text: T);
    EditMessageCaption edit_message_caption<C: Into<Recipient>>(chat_id: C, message_id: MessageId);
    EditMessageCaptionInline edit_message_caption_inline<I: Into<String>>(inline_message_id: I);
    EditMessageMedia edit_message_media<C: Into<Recipient>>(chat_id: C, message_id: MessageId, media: InputMedia);
    EditMessageMediaInline edit_message_media_inline<I: Into<String>>(inline_message_id: I, media: InputMedia);
    EditMessageReplyMarkup edit_message_reply_markup<C: Into<Recipient>>(chat_id: C, message_id: MessageId);
    EditMessageReplyMarkupInline edit_message_reply_markup_inline<I: Into<String>>(inline_message_id: I);
    StopPoll stop_poll<C: Into<Recipient>>(chat_id: C, message_id: MessageId);
    DeleteMessage delete_message<C: Into<Recipient>>(chat_id: C, message_id: MessageId);
    DeleteMessages delete_messages<C: Into<Recipient>, M: IntoIterator<Item = MessageId>>(chat_id: C, message_ids: M);
    GetStickerSet get_sticker_set<N: Into<String>>(name: N);
    GetCustomEmojiStickers get_custom_emoji_stickers<C: IntoIterator<Item = CustomEmojiId>>(custom_emoji_ids: C);
    UploadStickerFile upload_sticker_file(user_id: UserId, sticker: InputFile, sticker_format: StickerFormat);
    CreateNewStickerSet create_new_sticker_set<N: Into<String>, T: Into<String>, S: IntoIterator<Item = InputSticker>>(user_id: UserId, name: N, title: T, stickers: S);
    AddStickerToSet add_sticker_to_set<N: Into<String>>(user_id: UserId, name: N, sticker: InputSticker);
    SetStickerPositionInSet set_sticker_position_in_set<S: Into<String>>(sticker: S, position: u32);
    DeleteStickerFromSet delete_sticker_from_set<S: Into<String>>(sticker: S);
    ReplaceStickerInSet replace_sticker_in_set<N: Into<String>, O: Into<String>>(user_id: UserId, name: N, old_sticker: O, sticker: InputSticker);
    SetStickerSetThumbnail set_sticker_set_thumbnail<N: Into<String>>(name: N, user_id: UserId, format: StickerFormat);
    SetCustomEmojiStickerSetThumbnail set_custom_emoji_sticker_set_thumbnail<N: Into<String>>(name: N);
    SetStickerSetTitle set_sticker_set_title<N: Into<String>, T: Into<String>>(name: N, title: T);
    DeleteStickerSet delete_sticker_set<N: Into<String>>(name: N);
    SetStickerEmojiList set_sticker_emoji_list<S: Into<String>, E: IntoIterator<Item = String>>(sticker: S, emoji_list: E);
    SetStickerKeywords set_sticker_keywords<S: Into<String>>(sticker: S);
    SetStickerMaskPosition set_sticker_mask_position<S: Into<String>>(sticker: S);
    GetAvailableGifts get_available_gifts();
    SendGift send_gift(user_id: UserId, gift_id: GiftId);
    GiftPremiumSubscription gift_premium_subscription(user_id: UserId, month_count: u8, star_count: u32);
    VerifyUser verify_user(user_id: UserId);
    VerifyChat verify_chat<C: Into<Recipient>>(chat_id: C);
    RemoveUserVerification remove_user_verification(user_id: UserId);
    RemoveChatVerification remove_chat_verification<C: Into<Recipient>>(chat_id: C);
    ReadBusinessMessage read_business_message<C: Into<ChatId>>(business_connection_id: BusinessConnectionId, chat_id: C, message_id: MessageId);
    DeleteBusinessMessages delete_business_messages<M: IntoIterator<Item = MessageId>>(business_connection_id: BusinessConnectionId, message_ids: M);
    SetBusinessAccountName set_business_account_name<F: Into<String>>(business_connection_id: BusinessConnectionId, first_name: F);
    SetBusinessAccountUsername set_business_account_username(business_connection_id: BusinessConnectionId);
    SetBusinessAccountBio set_business_account_bio(business_connection_id: BusinessConnectionId);
    SetBusinessAccountProfilePhoto set_business_account_profile_photo(business_connection_id: BusinessConnectionId, photo: InputProfilePhoto);
    RemoveBusinessAccountProfilePhoto remove_business_account_profile_photo(business_connection_id: BusinessConnectionId);
    SetBusinessAccountGiftSettings set_business_account_gift_settings(business_connection_id: BusinessConnectionId, show_gift_button: bool, accepted_gift_types: AcceptedGiftTypes);
    GetBusinessAccountStarBalance get_business_account_star_balance(business_connection_id: BusinessConnectionId);
    TransferBusinessAccountStars transfer_business_account_stars(business_connection_id: BusinessConnectionId, star_count: u32);
    GetBusinessAccountGifts get_business_account_gifts(business_connection_id: BusinessConnectionId);
    ConvertGiftToStars convert_gift_to_stars(business_connection_id: BusinessConnectionId, owned_gift_id: OwnedGiftId);
    UpgradeGift upgrade_gift(business_connection_id: BusinessConnectionId, owned_gift_id: OwnedGiftId);
    TransferGift transfer_gift<N: Into<ChatId>>(business_connection_id: BusinessConnectionId, owned_gift_id: OwnedGiftId, new_owner_chat_id: N);
    PostStory post_story(business_connection_id: BusinessConnectionId, content: InputStoryContent, active_period: Seconds);
    EditStory edit_story(business_connection_id: BusinessConnectionId, story_id: StoryId, content: InputStoryContent);
    DeleteStory delete_story(business_connection_id: BusinessConnectionId, story_id: StoryId);
    CreateInvoiceLink create_invoice_link<T: Into<String>, D: Into<String>, Pa: Into<String>, C: Into<String>, P: IntoIterator<Item = LabeledPrice>>(title: T, description: D, payload: Pa, currency: C, prices: P);
    AnswerShippingQuery answer_shipping_query(shipping_query_id: ShippingQueryId, ok: bool);
    AnswerPreCheckoutQuery answer_pre_checkout_query(pre_checkout_query_id: PreCheckoutQueryId, ok: bool);
    GetMyStarBalance get_my_star_balance();
    GetStarTransactions get_star_transactions();
    RefundStarPayment refund_star_payment(user_id: UserId, telegram_payment_charge_id: TelegramTransactionId);
    EditUserStarSubscription edit_user_star_subscription(user_id: UserId, telegram_payment_charge_id: TelegramTransactionId, is_canceled: bool);
    SetPassportDataErrors set_passport_data_errors<E: IntoIterator<Item = PassportElementError>>(user_id: UserId, errors: E);
    SendGame send_game<C: Into<ChatId>, G: Into<String>>(chat_id: C, game_short_name: G);
    SetGameScore set_game_score(user_id: UserId, score: u64, chat_id: u32, message_id: MessageId);
    SetGameScoreInline set_game_score_inline<I: Into<String>>(user_id: UserId, score: u64, inline_message_id: I);
    GetGameHighScores get_game_high_scores<T: Into<TargetMessage>>(user_id: UserId, target: T);
}}
