/**
 * One small text bubble for the whole page: on hover, on keyboard focus and, for buttons that cannot be used, on tap.
 * It only repeats what the element's accessible name or description says, so it is hidden from screen readers.
 */
import type { Attachment } from 'svelte/attachments';

const OPEN_AFTER_MS = 280;
let bubble: HTMLElement | null = null;
let owner: Element | null = null;

function makeBubble(): HTMLElement {
  const element = document.createElement('div');
  element.popover = 'manual';
  element.setAttribute('aria-hidden', 'true');
  element.className =
    'pointer-events-none fixed m-0 max-w-72 rounded-md bg-raised px-2.5 py-1.5 text-xs text-ink shadow-pop';
  document.body.append(element);
  return element;
}

function show(target: Element, text: string): void {
  bubble ??= makeBubble();
  bubble.textContent = text;
  owner = target;
  if (!bubble.matches(':popover-open')) bubble.showPopover();
  const at = target.getBoundingClientRect();
  const own = bubble.getBoundingClientRect();
  const left = Math.min(Math.max(8, at.left + at.width / 2 - own.width / 2), innerWidth - own.width - 8);
  const above = at.top - own.height - 7;
  bubble.style.left = `${left}px`;
  bubble.style.top = `${above < 8 ? at.bottom + 7 : above}px`;
}

function hide(target: Element): void {
  if (owner !== target) return;
  owner = null;
  if (bubble?.matches(':popover-open')) bubble.hidePopover();
}

/**
 * @param text asked for when it is shown, so that news about the element never closes an open bubble; nothing: no bubble
 * @param onTap a tap shows it too
 */
export function tip(
  text: () => string | null | undefined,
  onTap: () => boolean = () => false,
): Attachment<Element> {
  return (element) => {
    const open = (): void => {
      const shown = text();
      if (shown) show(element, shown);
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const close = (): void => {
      clearTimeout(timer);
      hide(element);
    };
    const listeners = {
      pointerenter: (event: Event) => {
        if ((event as PointerEvent).pointerType === 'touch') return;
        timer = setTimeout(open, OPEN_AFTER_MS);
      },
      pointerleave: close,
      pointerdown: () => clearTimeout(timer),
      focusin: () => {
        if (element.matches(':focus-visible, :has(:focus-visible)')) open();
      },
      focusout: close,
      click: () => (onTap() ? open() : close()),
      keydown: (event: Event) => {
        if ((event as KeyboardEvent).key === 'Escape') close();
      },
    };
    for (const [name, listener] of Object.entries(listeners)) element.addEventListener(name, listener);
    return () => {
      close();
      for (const [name, listener] of Object.entries(listeners)) element.removeEventListener(name, listener);
    };
  };
}
