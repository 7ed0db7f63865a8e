/** Toasts. The library is fetched when the first one is shown, so that it costs the first paint nothing. */
import { goto } from '$app/navigation';
import type { Tone } from './tone';
import { toaster } from './toaster.svelte';

export interface ToastText {
  title: string;
  text?: string | null | undefined;
  tone?: Tone;
  link?: { label: string; href: string };
}

export async function showToast({ title, text, tone = 'quiet', link }: ToastText): Promise<void> {
  toaster.wanted = true;
  const { toast } = await import('svelte-sonner');
  const show = {
    quiet: toast.message,
    accent: toast.info,
    good: toast.success,
    warn: toast.warning,
    bad: toast.error,
  };
  show[tone](title, {
    ...(text ? { description: text } : {}),
    ...(link ? { action: { label: link.label, onClick: () => void goto(link.href) } } : {}),
    duration: tone === 'bad' || tone === 'warn' ? 12_000 : 6_000,
  });
}
