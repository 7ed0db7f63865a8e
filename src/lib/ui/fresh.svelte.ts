/** As long as the second click of a double click may follow the first. */
const DOUBLE_CLICK_MS = 500;

/**
 * What is to be read before it is started has only just appeared: a button that has come to lie where another one was clicked
 * waits so long, or the second click of a double click would start what nobody has read. To be called while a component is made.
 * @param shown what appears, or something that is false as long as it has not
 */
export function freshly(shown: () => unknown): { readonly appeared: boolean } {
  let appeared = $state(false);
  $effect(() => {
    if (!shown()) return;
    appeared = true;
    const timer = setTimeout(() => (appeared = false), DOUBLE_CLICK_MS);
    return () => {
      clearTimeout(timer);
      // Whoever goes back at once would find every button waiting, for ever.
      appeared = false;
    };
  });
  return {
    get appeared() {
      return appeared;
    },
  };
}
