/** Whether the place for toasts is wanted on the page yet. */
export const toaster = $state({ wanted: false });
