// One chat as a column: who it is, what was said, what can be pressed, where to type.

import { act, upload } from "./api.js";
import { Composer } from "./composer.js";
import { dayOf, h, icon, initials, LANGUAGES } from "./dom.js";
import { renderMessage } from "./message.js";
import { directionOf, wordsOf } from "./words.js";

const ACTION_SECONDS = 5;
const NOTICE_SECONDS = 5;
const PRESS_SECONDS = 20;

export class Column {
  constructor(bot, chat, { several, alert }) {
    this.bot = bot;
    this.chat = chat;
    this.alert = alert;
    this.tag = chat.type === "private" ? chat.members[0].language_code ?? "" : "en";
    this.language = this.tag.split("-")[0]; // of `zh-hans` the first part has words here
    this.words = wordsOf(this.language);
    const words = this.words;
    this.messages = new Map();
    this.items = new Map();
    this.busy = new Map();
    this.lastDay = "";
    this.id = `chat-${bot.id}-${chat.id}`.replace("--", "-g");
    this.log = h("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": words.messages(chat.title), tabindex: "0" });
    this.pinned = true;
    this.top = 0;
    this.log.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.resizes = new ResizeObserver(() => this.follow());
    this.resizes.observe(this.log);
    this.notice = h("p", { class: "notice", role: "status", hidden: true });
    this.activity = h("p", { class: "activity", hidden: true }, words.typing(bot.name), h("span", { class: "dots", "aria-hidden": "true" }));
    this.state = h("span", { class: "state" });
    this.detail = h("span", { class: "detail" });
    this.toggle = h("button", { type: "button", class: "small", onclick: () => this.switchBlock() });
    this.gate = h("div", { class: "gate" });
    this.keyboard = h("div", { class: "keyboard" });
    this.sender = h("select", { class: "as", "aria-label": words.as });
    this.composer = new Composer({
      id: this.id, name: chat.title, words, problem: (text) => this.say(text),
      send: (text) => this.send(text),
      attach: (file, caption) => this.run(() => upload(bot.id, this.chat.id, this.userId(), file, caption)),
      commands: () => act(bot.id, "commands", { chat: this.chat.id, user: this.userId(), language: this.user().language_code ?? "" }),
    });
    const avatar = h("span", { class: "avatar", "aria-hidden": "true" }, initials(chat.title));
    avatar.style.setProperty("--hue", String((Math.abs(chat.id) * 67 + 210) % 360));
    const name = h("h2", { id: `${this.id}-name` }, h("bdi", {}, chat.title));
    this.withBot = several ? h("span", { class: "with", dir: "ltr" }, `@${bot.username}`) : null;
    const who = h("div", { class: "who" }, name, h("p", {}, this.detail, this.withBot, this.state));
    this.element = h("section", { class: "column", id: this.id, "aria-labelledby": `${this.id}-name`,
      lang: this.tag || "en", dir: directionOf(this.language) },
      h("header", {}, avatar, who, this.toggle), h("div", { class: "view" }, this.log, this.notice), this.activity, this.gate, this.keyboard, this.composer.form);
    this.tab = h("button", { type: "button", class: "tab", role: "tab", id: `${this.id}-tab`, "aria-controls": this.id, dir: "auto" },
      h("span", {}, chat.title), h("span", { class: "unread", "aria-label": words.fresh }));
    this.about = null;
    this.update(chat);
    for (const message of chat.messages ?? []) this.put(message);
    this.toEnd();
  }

  // What the bot says about itself to somebody who has not started it.
  async introduce() {
    if (this.chat.standing !== "new") {
      this.about?.remove();
      return;
    }
    const { description } = await this.run(() => act(this.bot.id, "about", { language: this.user().language_code ?? "" })) ?? {};
    const sign = document.querySelector(".top .logo").cloneNode(true);
    const about = h("div", { class: "about" }, sign, h("h3", {}, this.bot.name), h("p", {}, `@${this.bot.username}`),
      h("p", { dir: "auto" }, description || this.words.begin));
    this.about?.remove();
    this.about = about;
    if (this.chat.standing === "new") this.log.prepend(about);
  }

  user() {
    return this.chat.members.find((member) => String(member.id) === this.sender.value) ?? this.chat.members[0];
  }

  userId() {
    return this.user().id;
  }

  update(chat) {
    this.chat = { ...this.chat, ...chat };
    const { standing, members, type } = this.chat;
    const { words } = this;
    const known = LANGUAGES[this.language] ?? this.tag;
    this.detail.textContent = type === "private" ? known : words.group(type, members.length);
    this.state.textContent = words.standing[standing];
    this.element.dataset.standing = standing;
    const can = standing === "open" || standing === "blocked";
    this.toggle.hidden = !can;
    this.toggle.replaceChildren(icon(standing === "blocked" ? "check" : "block"), standing === "blocked" ? words.unblock : words.block);
    this.toggle.title = standing === "blocked" ? words.unblocking : words.blocking;
    const gates = {
      new: h("button", { type: "button", class: "start", onclick: () => this.send("/start") }, words.start),
      blocked: h("button", { type: "button", class: "start", onclick: () => this.switchBlock() }, words.allow),
    };
    this.gate.replaceChildren(...(gates[standing] ? [gates[standing]] : []));
    this.composer.form.hidden = !(standing === "open" || standing === "new");
    void this.introduce();
    const before = this.sender.value;
    this.sender.replaceChildren(...members.map((member) => h("option", { value: member.id }, member.first_name)));
    if (before) this.sender.value = before;
    if (type !== "private" && !this.sender.isConnected) this.composer.form.prepend(this.sender);
    this.keyboard.replaceChildren(...(this.chat.keyboard ?? []).map((row) => h("div", { class: "keys" },
      ...row.map((text) => h("button", { type: "button", class: "key", dir: "auto", onclick: () => this.send(text) }, text)))));
  }

  put(message) {
    this.messages.set(message.message_id, message);
    const item = renderMessage(message, {
      bot: this.bot.id, chat: this.chat, words: this.words, quoted: this.messages.get(message.reply_to),
      onPress: (data, button) => this.press(message.message_id, data, button),
      onCommand: (text) => this.send(text),
    });
    const old = this.items.get(message.message_id);
    this.resizes.observe(item);
    if (old) {
      this.resizes.unobserve(old);
      const focused = old.contains(document.activeElement) ? document.activeElement.dataset.data : undefined;
      old.replaceWith(item);
      if (focused !== undefined) (item.querySelector(`[data-data="${CSS.escape(focused)}"]`) ?? item.querySelector(".key"))?.focus();
    } else {
      this.separate(message.date);
      this.log.append(item);
      if (message.from_bot) this.activity.hidden = true;
    }
    this.items.set(message.message_id, item);
    this.follow();
  }

  // Only a reader goes up; what grows below goes by itself.
  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    if (scrollHeight - scrollTop - clientHeight < 80) this.pinned = true;
    else if (scrollTop < this.top) this.pinned = false;
    this.top = scrollTop;
  }

  // Stay with the newest message, unless the reader has scrolled up.
  follow() {
    if (this.pinned) this.toEnd();
  }

  separate(date) {
    const today = dayOf(date, this.language);
    if (today === this.lastDay) return;
    this.lastDay = today;
    this.log.append(h("div", { class: "note day" }, h("span", {}, today)));
  }

  gone(messageId) {
    const message = this.messages.get(messageId);
    if (message) this.put({ ...message, deleted: true });
  }

  toEnd() {
    this.pinned = true;
    this.log.scrollTop = this.log.scrollHeight;
  }

  acting(action) {
    const doing = action.startsWith("upload") ? this.words.sending : this.words.typing;
    this.activity.firstChild.textContent = doing(this.bot.name);
    this.activity.hidden = false;
    clearTimeout(this.actingTimer);
    this.actingTimer = setTimeout(() => { this.activity.hidden = true; }, ACTION_SECONDS * 1000);
  }

  say(text) {
    this.notice.textContent = text;
    this.notice.hidden = false;
    clearTimeout(this.noticeTimer);
    this.noticeTimer = setTimeout(() => { this.notice.hidden = true; }, NOTICE_SECONDS * 1000);
  }

  async run(work) {
    try {
      return await work();
    } catch (error) {
      this.say(error.message);
      return undefined;
    }
  }

  async send(text) {
    this.toEnd();
    const said = await this.run(() => act(this.bot.id, "say", { chat: this.chat.id, user: this.userId(), text }));
    this.composer.box.focus();
    return said !== undefined;
  }

  switchBlock() {
    const action = this.chat.standing === "blocked" ? "unblock" : "block";
    return this.run(() => act(this.bot.id, action, { chat: this.chat.id, user: this.userId() }));
  }

  async press(messageId, data, button) {
    button.classList.add("waiting");
    button.setAttribute("aria-busy", "true");
    const body = { chat: this.chat.id, user: this.userId(), message: messageId, data };
    const query = await this.run(() => act(this.bot.id, "press", body));
    const calm = () => {
      button.classList.remove("waiting");
      button.removeAttribute("aria-busy");
    };
    if (!query) return calm();
    const answered = this.busy.get(query.query_id) === "answered";
    if (answered) return calm();
    this.busy.set(query.query_id, calm);
    return setTimeout(calm, PRESS_SECONDS * 1000);
  }

  answered(answer) {
    const calm = this.busy.get(answer.query_id);
    this.busy.set(answer.query_id, "answered");
    if (typeof calm === "function") calm();
    if (answer.text && answer.show_alert) this.alert(answer.text);
    else if (answer.text) this.say(answer.text);
  }
}
