import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../ui/base.css';
import '../ui/ui.css';
import './parts/picture.css';
import './shop.css';
import { App } from './App';
import { keepTime } from './data/clock';
import { takeFromAddress } from './data/login';

takeFromAddress();
keepTime();
const root = document.getElementById('root');
if (root) createRoot(root).render(<StrictMode><App /></StrictMode>);
