// The options of a listbox that follow the cursor of a trace.

/** The one at `place` is here: for the eye, and for a screen reader while the focus is on the list. */
export function pointAt(list: HTMLElement, options: HTMLElement[], place: number): void {
  options.forEach((option, k) => {
    option.classList.toggle('here', k === place);
    option.setAttribute('aria-selected', String(k === place));
  });
  list.setAttribute('aria-activedescendant', options[place].id);
  reveal(list, options[place]);
}

/** Brings a part of a box that scrolls into sight, without moving the page. */
function reveal(box: HTMLElement, part: HTMLElement): void {
  const [outer, inner] = [box.getBoundingClientRect(), part.getBoundingClientRect()];
  if (inner.top < outer.top) box.scrollTop += inner.top - outer.top - 6;
  else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 6;
}
