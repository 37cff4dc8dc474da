// The page: columns of chats that follow the sandbox's stream of changes, the theme, and the dialog for new officers.

import { act, follow, state } from "./api.js";
import { Column } from "./column.js";
import { h, icon } from "./dom.js";

const THEMES = ["auto", "light", "dark"];
const THEME_SIGNS = { auto: "half", light: "sun", dark: "moon" };
const CONNECTION = { live: "live", waiting: "no answer yet: trying again", gone: "the sandbox has stopped" };
const byId = (id) => document.getElementById(id);
const columns = new Map();
const bots = new Map();
const narrow = matchMedia("(max-width: 759px)");
let active = "";

const keyOf = (bot, chat) => `${bot}/${chat}`;

// ------------------------------------------------------------------ theme

function showTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const button = byId("theme");
  const label = `Theme: ${theme === "auto" ? "auto, as the system" : theme}`;
  button.replaceChildren(icon(THEME_SIGNS[theme]), h("span", {}, theme === "auto" ? "Auto" : theme === "light" ? "Light" : "Dark"));
  button.setAttribute("aria-label", label);
  button.title = label;
}

function startTheme() {
  let theme = THEMES.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "auto";
  showTheme(theme);
  byId("theme").addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    localStorage.setItem("theme", theme);
    showTheme(theme);
  });
}

// ------------------------------------------------------------------ columns and tabs

function showAlert(text) {
  byId("alert-text").textContent = text;
  byId("alert").showModal();
}

function activate(key, focus = false) {
  active = key;
  for (const [each, column] of columns) {
    const on = each === key;
    column.element.classList.toggle("active", on);
    column.tab.setAttribute("aria-selected", String(on));
    column.tab.tabIndex = on ? 0 : -1;
    if (on) {
      column.tab.classList.remove("has-unread");
      column.toEnd();
      if (focus) column.tab.focus();
    }
  }
}

function addColumn(botId, chat) {
  const bot = bots.get(botId);
  const key = keyOf(botId, chat.id);
  const column = new Column(bot, chat, { several: bots.size > 1, alert: showAlert });
  columns.set(key, column);
  byId("chats").querySelector(".empty")?.remove();
  byId("chats").append(column.element);
  byId("tabs").append(column.tab);
  column.tab.addEventListener("click", () => activate(key));
  column.toEnd();
  if (!active) activate(key);
  else activate(active);
  return column;
}

function moveTab(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const keys = [...columns.keys()];
  activate(keys[(keys.indexOf(active) + step + keys.length) % keys.length], true);
}

function showEmpty() {
  if (columns.size > 0) return;
  byId("chats").replaceChildren(h("div", { class: "empty" },
    h("h2", {}, "Nobody is here yet"),
    h("p", {}, "Add an officer, then write /start to the bot, or the code that an administrator gave you."),
    h("button", { type: "button", class: "tool primary", onclick: openDialog }, "Add an officer")));
}

// ------------------------------------------------------------------ changes

const CHANGES = {
  message: (column, data) => column.put(data),
  edit: (column, data) => column.put(data),
  delete: (column, data) => column.gone(data.message_id),
  action: (column, data) => column.acting(data.action),
  answer: (column, data) => column.answered(data),
};

function change(event) {
  const { type, bot, data } = event;
  if (type === "chat") {
    const column = columns.get(keyOf(bot, data.id));
    if (column) column.update(data);
    else addColumn(bot, data);
    return;
  }
  if (type === "profile") {
    for (const column of columns.values()) if (column.bot.id === bot) void column.introduce();
    return;
  }
  const key = keyOf(bot, data.chat_id);
  const column = columns.get(key);
  if (!column || !CHANGES[type]) return;
  CHANGES[type](column, data);
  if (type === "message" && data.from_bot && narrow.matches && key !== active) column.tab.classList.add("has-unread");
}

function connection(how) {
  byId("connection").dataset.state = how;
  byId("connection").textContent = CONNECTION[how];
}

async function load() {
  let now;
  try {
    now = await state();
  } catch {
    connection("gone");
    return;
  }
  columns.clear();
  bots.clear();
  active = "";
  byId("chats").replaceChildren();
  byId("tabs").replaceChildren();
  for (const bot of now.bots) bots.set(bot.id, bot);
  for (const bot of now.bots) for (const chat of bot.chats) addColumn(bot.id, chat);
  showEmpty();
  byId("officer-bot").replaceChildren(...now.bots.map((bot) => h("option", { value: bot.id }, `${bot.name} @${bot.username}`)));
  byId("officer-bot-label").hidden = now.bots.length < 2;
  follow(now.seq, { change, reset: load, connection });
}

// ------------------------------------------------------------------ adding an officer

function openDialog() {
  byId("officer-form").reset();
  byId("officer").showModal();
  byId("officer-name").focus();
}

async function addOfficer() {
  const name = byId("officer-name").value.trim();
  if (!name) return;
  const bot = Number(byId("officer-bot").value);
  try {
    const chat = await act(bot, "user", { name, language: byId("officer-language").value });
    const column = columns.get(keyOf(bot, chat.id)) ?? addColumn(bot, chat);
    activate(keyOf(bot, chat.id));
    column.element.scrollIntoView({ inline: "nearest" });
    column.gate.querySelector("button")?.focus();
  } catch (error) {
    showAlert(error.message);
  }
}

startTheme();
byId("add").addEventListener("click", openDialog);
byId("officer-cancel").addEventListener("click", () => byId("officer").close());
byId("officer-form").addEventListener("submit", addOfficer);
byId("tabs").addEventListener("keydown", moveTab);
await load();
