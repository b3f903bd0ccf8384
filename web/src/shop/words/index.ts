import { dictionary } from '../../i18n';
import { en } from './en';
import { zh } from './zh';

export const { useSay, say } = dictionary(en, zh);
export type Word = keyof typeof en;
export type SayShop = ReturnType<typeof useSay>;
export { en, zh };
