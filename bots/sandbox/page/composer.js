// The typing box of one chat: grows with its text, suggests the bot's commands, sends on Enter.

import { h, icon } from "./dom.js";

const MAX_FILE = 20 * 1024 * 1024;

export class Composer {
  constructor({ id, name, words, send, attach, commands, problem }) {
    this.words = words;
    this.send = send;
    this.commands = commands;
    this.problem = problem;
    this.shown = [];
    this.chosen = -1;
    this.list = h("ul", { class: "suggestions", id: `${id}-suggestions`, role: "listbox", "aria-label": words.commands, hidden: true });
    this.box = h("textarea", {
      rows: "1", placeholder: words.write, "aria-label": words.writing(name), maxlength: "4096",
      "aria-autocomplete": "list", "aria-haspopup": "listbox", "aria-controls": `${id}-suggestions`,
      oninput: () => this.typed(), onkeydown: (event) => this.key(event), onblur: () => this.hide(),
    });
    this.picker = h("input", { type: "file", class: "visually-hidden", tabindex: "-1", "aria-hidden": "true",
      onchange: () => this.picked(attach) });
    const clip = h("button", { type: "button", class: "round", "aria-label": words.attach, title: words.attach,
      onclick: () => this.picker.click() }, icon("clip"));
    const go = h("button", { type: "submit", class: "round go", "aria-label": words.send, title: words.send }, icon("send"));
    this.form = h("form", { class: "composer", onsubmit: (event) => { event.preventDefault(); this.submit(); } },
      this.list, this.picker, clip, this.box, go);
  }

  picked(attach) {
    const file = this.picker.files[0];
    this.picker.value = "";
    if (!file) return;
    if (file.size > MAX_FILE) this.problem(this.words.large);
    else attach(file, this.take());
  }

  take() {
    const text = this.box.value.trim();
    this.box.value = "";
    this.fit();
    this.hide();
    return text;
  }

  // What was not taken comes back into the box.
  async submit() {
    const text = this.take();
    if (!text || await this.send(text) || this.box.value) return;
    this.box.value = text;
    this.fit();
  }

  // Until the next frame the box has its old height, so it is measured from scratch.
  fit() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 132)}px`;
  }

  async typed() {
    this.fit();
    const word = this.box.value;
    if (!/^\/\w*$/u.test(word)) return this.hide();
    let known = [];
    try {
      known = await this.commands();
    } catch (error) {
      this.problem(error.message);
    }
    if (this.box.value !== word) return undefined;
    this.shown = known.filter((each) => `/${each.command}`.startsWith(word.toLowerCase()));
    this.chosen = this.shown.length > 0 ? 0 : -1;
    return this.draw();
  }

  draw() {
    this.list.replaceChildren(...this.shown.map((each, index) => h("li", {
      role: "option", id: `${this.list.id}-${index}`, "aria-selected": String(index === this.chosen),
      onpointerdown: (event) => { event.preventDefault(); this.complete(index); },
    }, h("b", { dir: "ltr" }, `/${each.command}`), h("span", { dir: "auto" }, each.description))));
    this.list.hidden = this.shown.length === 0;
    if (this.chosen >= 0) this.box.setAttribute("aria-activedescendant", `${this.list.id}-${this.chosen}`);
    this.list.children[this.chosen]?.scrollIntoView({ block: "nearest" });
  }

  hide() {
    this.shown = [];
    this.chosen = -1;
    this.list.hidden = true;
    this.box.removeAttribute("aria-activedescendant");
  }

  complete(index) {
    this.box.value = `/${this.shown[index].command} `;
    this.hide();
    this.fit();
    this.box.focus();
  }

  key(event) {
    const open = !this.list.hidden;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.chosen = (this.chosen + step + this.shown.length) % this.shown.length;
      this.draw();
    } else if (open && event.key === "Tab") {
      this.complete(this.chosen);
    } else if (open && event.key === "Escape") {
      this.hide();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      const exact = this.shown.some((each) => `/${each.command}` === this.box.value.trim());
      if (open && !exact) this.complete(this.chosen);
      else this.submit();
    } else {
      return;
    }
    event.preventDefault();
  }
}
