import { conform } from '../lib/conform.mjs';

await conform('ccxt', ['market', 'streams', 'orders', 'lists', 'user', 'errors', 'unified']);
