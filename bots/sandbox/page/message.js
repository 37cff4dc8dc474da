// One message as elements: formatting, files, buttons and the small signs beside the time.

import { fileUrl } from "./api.js";
import { h, icon, marker, sizeOf, timeOf } from "./dom.js";

const SAFE_LINK = /^(https?:|mailto:)/iu;

function link(url, children) {
  if (!SAFE_LINK.test(url)) return h("span", { class: "dead-link", title: url }, ...children);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

function spoiler(children, words) {
  const reveal = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.currentTarget.classList.add("shown");
    event.currentTarget.setAttribute("aria-expanded", "true");
  };
  return h("span", {
    class: "spoiler", role: "button", tabindex: "0", "aria-label": words.hidden, "aria-expanded": "false",
    onclick: reveal, onkeydown: reveal,
  }, h("span", {}, ...children));
}

function preformatted(entity, children) {
  const code = h("code", {}, ...children);
  return h("pre", { dir: "ltr", tabindex: "0", "data-language": entity.language }, code);
}

const ELEMENTS = {
  bold: (e, kids) => h("strong", {}, ...kids),
  italic: (e, kids) => h("em", {}, ...kids),
  underline: (e, kids) => h("u", {}, ...kids),
  strikethrough: (e, kids) => h("s", {}, ...kids),
  spoiler: (e, kids, text, words) => spoiler(kids, words),
  code: (e, kids) => h("code", { dir: "auto" }, ...kids),
  pre: preformatted,
  blockquote: (e, kids) => h("blockquote", {}, ...kids),
  expandable_blockquote: (e, kids, text, words) =>
    h("details", { class: "quote" }, h("summary", {}, words.quoted), h("blockquote", {}, ...kids)),
  text_link: (e, kids) => link(e.url, kids),
  url: (e, kids, text) => link(text, [h("bdi", { dir: "ltr" }, ...kids)]),
  email: (e, kids, text) => link(`mailto:${text}`, kids),
  mention: (e, kids) => h("span", { class: "mention" }, ...kids),
  text_mention: (e, kids) => h("span", { class: "mention" }, ...kids),
  hashtag: (e, kids) => h("span", { class: "mention" }, ...kids),
  date_time: (e, kids) => h("time", { datetime: new Date(e.unix_time * 1000).toISOString() }, ...kids),
};

const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);

// Offsets are UTF-16 code units, as are those of JavaScript strings. Entities that cross are cut in two.
export function formatText(text, entities, words, onCommand) {
  const sorted = [...(entities ?? [])].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const build = (from, to, list) => {
    const nodes = [];
    let at = from;
    while (list.length > 0) {
      const entity = list.shift();
      const begin = Math.max(entity.offset, at);
      const end = Math.min(entity.offset + entity.length, to);
      if (begin >= end) continue;
      const block = BLOCKS.has(entity.type);
      if (begin > at) nodes.push(block ? text.slice(at, begin).replace(/\n$/u, "") : text.slice(at, begin));
      const inside = [];
      const later = [];
      while (list.length > 0 && list[0].offset < end) {
        const next = list.shift();
        const over = next.offset + next.length - end;
        inside.push(over > 0 ? { ...next, length: next.length - over } : next);
        if (over > 0) later.push({ ...next, offset: end, length: over });
      }
      list.unshift(...later);
      const kids = build(begin, end, inside);
      const part = text.slice(begin, end);
      if (entity.type === "bot_command" && onCommand) {
        nodes.push(h("button", { type: "button", class: "command", dir: "ltr", onclick: () => onCommand(part) }, ...kids));
      } else {
        nodes.push(ELEMENTS[entity.type]?.(entity, kids, part, words) ?? h("span", {}, ...kids));
      }
      at = block && text[end] === "\n" ? end + 1 : end; // a block ends its line by itself
    }
    if (at < to) nodes.push(text.slice(at, to));
    return nodes;
  };
  return build(0, text.length, sorted);
}

function fileCard(bot, file) {
  const name = h("bdi", { class: "file-name" }, file.file_name);
  const size = h("span", { class: "file-size" }, sizeOf(file.file_size));
  const label = h("span", { class: "file-label" }, name, size);
  return h("a", { class: "file", href: fileUrl(bot, file.file_id), download: file.file_name }, icon("file"), label);
}

function picture(bot, sizes, caption, words) {
  const size = sizes[sizes.length - 1];
  return h("img", {
    class: "photo", src: fileUrl(bot, size.file_id), width: size.width, height: size.height,
    alt: caption ? `${words.picture}: ${caption}` : words.bare, loading: "lazy",
  });
}

function inlineButton(button, words, onPress) {
  if (button.url) {
    return h("a", {
      class: "key link", dir: "auto", href: SAFE_LINK.test(button.url) ? button.url : undefined, target: "_blank",
      rel: "noopener noreferrer",
    }, button.text);
  }
  if (button.callback_data === undefined) {
    return h("button", { type: "button", class: "key", dir: "auto", disabled: true, title: words.away }, button.text);
  }
  return h("button", {
    type: "button", class: "key", dir: "auto", "data-data": button.callback_data,
    onclick: (event) => onPress(button.callback_data, event.currentTarget),
  }, button.text);
}

function shield(words) {
  return h("span", { class: "shield", title: words.guard }, icon("lock"), words.guarded);
}

function meta(message, words) {
  const signs = [];
  if (message.has_protected_content) signs.push(shield(words));
  if (message.from_bot && message.silent) signs.push(marker("silent", words.silent));
  if (message.edit_date) signs.push(h("span", { class: "edited" }, words.edited));
  signs.push(h("time", { datetime: new Date(message.date * 1000).toISOString() }, timeOf(message.date)));
  return h("p", { class: "meta" }, ...signs);
}

function quoteOf(message, words) {
  const text = message.text ?? message.caption ?? message.document?.file_name ?? words.picture;
  return h("p", { class: "reply", dir: "auto" }, text.length > 90 ? `${text.slice(0, 90)}…` : text);
}

function serviceLine(message) {
  const text = message.migrate_to_chat_id ? "The group became a supergroup" : "This supergroup was a group before";
  return h("div", { class: "note" }, h("span", {}, text));
}

export function renderMessage(message, { bot, chat, words, quoted, onPress, onCommand }) {
  if (message.migrate_to_chat_id || message.migrate_from_chat_id) return serviceLine(message);
  if (message.deleted) {
    const who = message.from_bot ? words.botGone : words.gone;
    return h("div", { class: "note gone", "data-message": message.message_id }, h("span", {}, who));
  }
  const text = message.text ?? message.caption ?? "";
  const parts = [];
  if (!message.from_bot && chat.type !== "private") {
    parts.push(h("p", { class: "sender", dir: "auto" }, message.from.first_name));
  }
  if (quoted && !quoted.deleted) parts.push(quoteOf(quoted, words));
  if (message.photo) parts.push(picture(bot, message.photo, text, words));
  if (message.document) parts.push(fileCard(bot, message.document));
  if (text) {
    const entities = message.entities ?? message.caption_entities;
    parts.push(h("div", { class: "text", dir: "auto" }, ...formatText(text, entities, words, onCommand)));
  }
  const bubble = h("div", { class: "bubble" }, ...parts, meta(message, words));
  const rows = (message.reply_markup?.inline_keyboard ?? []).map((row) =>
    h("div", { class: "keys" }, ...row.map((button) => inlineButton(button, words, onPress))));
  const side = message.from_bot ? "theirs" : "mine";
  return h("div", { class: `message ${side}`, "data-message": message.message_id },
    h("span", { class: "visually-hidden" }, message.from_bot ? `${words.bot}: ` : `${message.from.first_name}: `), bubble, ...rows);
}
