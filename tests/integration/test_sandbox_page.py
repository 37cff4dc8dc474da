"""The chat page in a real Chromium: writing, buttons, formatting, directions, themes, phones, keyboard."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.axe import violations
from tests.support.sandbox import CHROMIUM, Stage, browser_page, has_chromium, png, polling, staged

Page = Any  # playwright's page: imported late, like the rest of playwright

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not has_chromium(), reason=f"no Chromium at {CHROMIUM}: install it to try the page"),
]


GAPS = """message => {
  const [own, all] = [message, message.closest(".column")].map(each => each.getBoundingClientRect());
  return { left: own.left - all.left, right: all.right - own.right };
}"""
"""How far a message is from the edges of its chat."""


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as ready:
        yield ready


@pytest.fixture
async def page(stage: Stage) -> AsyncIterator[Any]:
    async with browser_page(stage.sandbox.page_url, viewport={"width": 1200, "height": 800}) as opened:
        yield opened
        assert opened.seen == []


def column(page: Page, name: str) -> Any:  # playwright's locator
    return page.get_by_role("region", name=name)


def register(router: Any) -> None:  # aiogram.Router
    types = importlib.import_module("aiogram.types")
    keyboard = types.InlineKeyboardMarkup(
        inline_keyboard=[[types.InlineKeyboardButton(text="Confirm", callback_data="yes")]]
    )

    async def greet(message: Any) -> None:  # aiogram.types.Message
        await message.answer(f"You wrote: {message.text}", reply_markup=keyboard)

    async def confirm(query: Any) -> None:  # aiogram.types.CallbackQuery
        await query.message.edit_text("Confirmed")
        await query.answer("Thank you", show_alert=True)

    router.message.register(greet)
    router.callback_query.register(confirm)


async def test_write_press_and_see_the_edit(stage: Stage, page: Page) -> None:
    async with polling(stage.bot, register):
        amina = column(page, "Amina")
        box = amina.get_by_label("رسالة باسم Amina")
        await box.fill("hello")
        await box.press("Enter")
        await amina.get_by_text("You wrote: hello").wait_for()
        await amina.get_by_role("button", name="Confirm").click()
        await page.get_by_role("dialog").get_by_text("Thank you").wait_for()
        await page.get_by_role("button", name="OK").click()
        await amina.get_by_text("Confirmed").wait_for()
        await amina.get_by_text("معدّلة").wait_for()
        assert await amina.get_by_role("button", name="Confirm").count() == 0
        assert await column(page, "Claire").get_by_text("Confirmed").count() == 0


async def test_what_could_not_be_sent_stays_in_the_box(stage: Stage, page: Page) -> None:
    await page.context.set_offline(offline=True)
    box = column(page, "Claire").get_by_label("Message de Claire")
    await box.fill("ten words that took a while")
    await box.press("Enter")
    await column(page, "Claire").get_by_text("The sandbox does not answer").wait_for()
    assert await box.input_value() == "ten words that took a while"
    await page.context.set_offline(offline=False)
    await box.press("Enter")
    await column(page, "Claire").locator(".mine", has_text="ten words").wait_for()
    page.seen.clear()  # Chromium writes of each failed request


async def test_formatting_signs_and_files(stage: Stage, page: Page) -> None:
    types = importlib.import_module("aiogram.types")
    chat = stage.amina.chat_id
    await stage.bot.send_message(
        chat,
        "<b>bold <i>both</i></b> <tg-spoiler>secret</tg-spoiler> <code>A-1</code>"
        '\n<blockquote>quoted</blockquote>\n<a href="https://example.org/x">link</a>',
        parse_mode="HTML",
        protect_content=True,
        disable_notification=True,
    )
    await stage.bot.send_document(chat, types.BufferedInputFile(b"x" * 2048, "list.csv"), caption="the list")
    await stage.bot.send_photo(chat, types.BufferedInputFile(png(30, 20), "p.png"), caption="the map")
    amina = column(page, "Amina")
    await amina.locator("strong em", has_text="both").wait_for()
    await amina.locator("blockquote", has_text="quoted").wait_for()
    assert await amina.get_by_text("link", exact=True).get_attribute("rel") == "noopener noreferrer"
    await amina.get_by_text("محمية", exact=True).wait_for()
    await amina.get_by_label("أُرسلت دون صوت").wait_for()
    assert await amina.get_by_text("secret").is_hidden()
    await amina.get_by_label("نص مخفي: إظهار").click()
    await amina.get_by_text("secret").wait_for(state="visible")
    await amina.get_by_role("link", name="list.csv").wait_for()
    picture = amina.get_by_alt_text("صورة: the map")
    await picture.scroll_into_view_if_needed()
    await page.wait_for_function(
        "image => image.complete && image.naturalWidth === 30", arg=await picture.element_handle()
    )


async def test_markup_in_a_text_stays_text(stage: Stage, page: Page) -> None:
    attack = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    await stage.bot.send_message(stage.amina.chat_id, attack)
    await stage.client.add_user(attack[:60], "en")
    await column(page, "Amina").get_by_text(attack).wait_for()
    assert await page.title() == "Liaison sandbox chat"
    assert await page.locator("img, .column script").count() == 0


async def test_each_line_runs_in_its_own_direction(stage: Stage, page: Page) -> None:
    await stage.bot.send_message(stage.amina.chat_id, "تنبيه عاجل REF-1\nSecond line", parse_mode="HTML")
    await stage.bot.send_message(stage.amina.chat_id, "Plain English")
    texts = column(page, "Amina").locator(".theirs .text")
    await texts.nth(1).wait_for()
    style = "element => [getComputedStyle(element).direction, getComputedStyle(element).unicodeBidi]"
    assert await texts.nth(0).evaluate(style) == ["rtl", "plaintext"]
    assert await texts.nth(1).evaluate(style) == ["ltr", "plaintext"]


async def test_what_stands_around_a_chat_is_in_its_officers_language(stage: Stage, page: Page) -> None:
    await stage.bot.send_message(stage.amina.chat_id, "one")
    await stage.bot.send_message(stage.claire.chat_id, "one")
    amina, claire = column(page, "Amina"), column(page, "Claire")
    await amina.get_by_role("button", name="حظر").wait_for()
    await claire.get_by_role("button", name="Bloquer").wait_for()
    assert await amina.get_attribute("dir") == "rtl"
    assert await claire.get_attribute("dir") == "ltr"
    for each, near in ((claire, "left"), (amina, "right")):
        gaps = await each.locator(".theirs").evaluate(GAPS)
        assert gaps[near] < gaps["left" if near == "right" else "right"]


async def test_commands_are_suggested_in_the_officers_language(stage: Stage, page: Page) -> None:
    types = importlib.import_module("aiogram.types")
    await stage.bot.set_my_commands([types.BotCommand(command="help", description="Help")])
    await stage.bot.set_my_commands(
        [
            types.BotCommand(command="search", description="بحث"),
            types.BotCommand(command="help", description="مساعدة"),
        ],
        language_code="ar",
    )
    box = column(page, "Amina").get_by_label("رسالة باسم Amina")
    await box.fill("/")
    await page.get_by_role("option", name="مساعدة").wait_for()
    await box.press("ArrowDown")
    await box.press("Enter")
    assert await box.input_value() == "/help "
    await box.press("Enter")
    await column(page, "Amina").locator(".mine", has_text="/help").wait_for()


async def test_add_an_officer_start_block_and_unblock(stage: Stage, page: Page) -> None:
    await stage.bot.set_my_description("Bulletins for officers")
    await page.get_by_role("button", name="Add officer").click()
    await page.get_by_label("Name").fill("Ирина")
    await page.get_by_label("Language of the chat application").select_option("ru")
    await page.get_by_role("button", name="Add", exact=True).click()
    irina = column(page, "Ирина")
    await irina.get_by_text("Bulletins for officers").wait_for()
    await irina.get_by_role("button", name="Начать", exact=True).click()
    await irina.locator(".mine", has_text="/start").wait_for()
    await irina.get_by_role("button", name="Заблокировать").click()
    await irina.get_by_text("бот заблокирован").wait_for()
    await irina.get_by_role("button", name="Разблокировать бота").click()
    await irina.get_by_text("бот заблокирован").wait_for(state="hidden")
    kinds = [update.event_type for update in await stage.bot.get_updates()]
    assert kinds == ["message", "my_chat_member", "my_chat_member"]


async def test_a_tag_with_a_script_is_met_in_its_language(stage: Stage, page: Page) -> None:
    await stage.client.add_user("Wei", "zh-hans")
    wei = column(page, "Wei")
    await wei.get_by_text("中文").wait_for()
    assert await wei.get_attribute("lang") == "zh-hans"


async def test_the_theme_is_chosen_and_remembered(stage: Stage, page: Page) -> None:
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(ground)
    await page.get_by_role("button", name="Theme: auto, as the system").click()
    assert await page.evaluate(ground) == light
    await page.get_by_role("button", name="Theme: light").click()
    dark = await page.evaluate(ground)
    assert dark != light
    await page.reload()
    await page.get_by_role("button", name="Theme: dark").wait_for()
    assert await page.evaluate(ground) == dark


async def test_a_phone_shows_one_chat_at_a_time(stage: Stage) -> None:
    phone = {"width": 390, "height": 780}
    async with browser_page(stage.sandbox.page_url, viewport=phone, color_scheme="dark") as page:
        await page.get_by_role("tab", name="Amina", selected=True).wait_for()
        assert await column(page, "Claire").is_hidden()
        await stage.bot.send_message(stage.claire.chat_id, "for Claire")
        await page.locator(".tab.has-unread", has_text="Claire").wait_for()
        await page.get_by_role("tab", name="Amina").press("ArrowRight")
        await column(page, "Claire").get_by_text("for Claire").wait_for(state="visible")
        assert await column(page, "Amina").is_hidden()
        assert await page.evaluate("() => document.documentElement.scrollWidth") == 390
        assert page.seen == []


async def test_axe_finds_nothing_in_either_theme_or_on_a_phone(stage: Stage, page: Page) -> None:
    types = importlib.import_module("aiogram.types")
    keyboard = types.InlineKeyboardMarkup(
        inline_keyboard=[[types.InlineKeyboardButton(text="Confirm", callback_data="yes")]]
    )
    text = "<b>bold</b> <tg-spoiler>secret</tg-spoiler> <code>A-1</code>\n<blockquote>quoted</blockquote>"
    for person in (stage.amina, stage.claire):
        await stage.bot.send_message(
            person.chat_id, text, parse_mode="HTML", reply_markup=keyboard, protect_content=True
        )
    await column(page, "Claire").get_by_role("button", name="Confirm").wait_for()
    found = {}
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found[theme] = await violations(page)
    await page.set_viewport_size({"width": 390, "height": 780})
    await page.get_by_role("tab", name="Amina", selected=True).wait_for()
    found["phone"] = await violations(page)
    await page.get_by_role("button", name="Add officer").click()
    found["dialog"] = await violations(page)
    assert {where: wrong for where, wrong in found.items() if wrong} == {}
