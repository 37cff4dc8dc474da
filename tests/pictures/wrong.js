// What is plainly wrong with a page: too wide, in the wrong direction, texts that are cut or lie over each other.
language => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) found.push(`${root.scrollWidth - innerWidth} pixels too wide`);
  const meant = language === "ar" ? "rtl" : "ltr";
  if (language && getComputedStyle(document.querySelector("main")).direction !== meant)
    found.push(`runs ${root.dir}, not ${meant}`);
  const boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = walker.nextNode()); ) {
    const holder = text.parentElement;
    if (!text.data.trim() || holder.closest(".visually-hidden, .skip, dialog, option, noscript, .cipher")) continue;
    if (!holder.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const { left, top, right, bottom } of range.getClientRects()) {
      const box = { left, top: top + (bottom - top) / 4, right, bottom: bottom - (bottom - top) / 4 };
      for (let each = holder; each; each = each.parentElement) {
        if (getComputedStyle(each).overflow === "visible") continue;
        const within = each.getBoundingClientRect();
        if (getComputedStyle(each).overflowX === "hidden" && each !== root && each !== document.body
            && (box.left < within.left - 1 || box.right > within.right + 1)
            && getComputedStyle(each).textOverflow !== "ellipsis")
          found.push(`cut: ${text.data.trim().slice(0, 40)}`);
        for (const [side, pick] of [["left", Math.max], ["top", Math.max], ["right", Math.min], ["bottom", Math.min]])
          box[side] = pick(box[side], within[side]);
      }
      if (box.right - box.left > 1 && box.bottom - box.top > 1) boxes.push({ box, holder, text });
    }
  }
  boxes.forEach((one, at) => {
    for (const other of boxes.slice(at + 1)) {
      if (one.text === other.text) continue;
      const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
      if (across > 2 && down > 2)
        found.push(`over each other: ${one.text.data.trim().slice(0, 30)} | ${other.text.data.trim().slice(0, 30)}`);
    }
  });
  return found;
}
