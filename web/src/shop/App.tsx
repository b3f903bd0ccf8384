import { LanguageSwitch } from '../i18n';

export function App() {
  return <main><h1>Seckill</h1><LanguageSwitch /></main>;
}
