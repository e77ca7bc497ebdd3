import type { Channel } from './channel';
import { openEmbedded } from './embedded';
import { openKernel } from './kernel';

export type ProviderName = 'kernel' | 'embedded' | 'auto';

/** auto: the module where its control file opens, else the provider inside this process. */
export function openChannel(provider: ProviderName): Channel {
  if (provider === 'embedded') return openEmbedded();
  if (provider === 'kernel') return openKernel();
  try {
    return openKernel();
  } catch {
    return openEmbedded();
  }
}
