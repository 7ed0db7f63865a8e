import Activity from '@lucide/svelte/icons/activity';
import HardDrive from '@lucide/svelte/icons/hard-drive';
import LayoutDashboard from '@lucide/svelte/icons/layout-dashboard';
import Layers from '@lucide/svelte/icons/layers';
import Network from '@lucide/svelte/icons/network';
import Monitor from '@lucide/svelte/icons/monitor';
import Disc3 from '@lucide/svelte/icons/disc-3';
import Settings from '@lucide/svelte/icons/settings';
import type { IconComponent } from '$lib/ui/action';

export const PAGES: { href: string; title: string; icon: IconComponent }[] = [
  { href: '/', title: 'Overview', icon: LayoutDashboard },
  { href: '/drives', title: 'Drives', icon: HardDrive },
  { href: '/pools', title: 'Pools', icon: Layers },
  { href: '/vms', title: 'Machines', icon: Monitor },
  { href: '/networks', title: 'Networks', icon: Network },
  { href: '/images', title: 'Images', icon: Disc3 },
  { href: '/operations', title: 'Operations', icon: Activity },
  { href: '/settings', title: 'Settings', icon: Settings },
];

export const isHere = (href: string, path: string): boolean =>
  href === '/' ? path === '/' : path === href || path.startsWith(`${href}/`);
