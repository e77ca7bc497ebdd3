import { native } from '../../native';
import type { Channel } from './channel';
import { NativeChannel } from './native-channel';
import { CONTROL_PATH } from './records';

/** The module's control file; throws an Error with .code (ENOENT: not loaded, EACCES). */
export function openKernel(controlPath: string = CONTROL_PATH): Channel {
  return new NativeChannel(native.openControl(controlPath));
}
