import { conform } from '../lib/conform.mjs';

await conform('spot', ['market', 'streams', 'orders', 'lists', 'user', 'errors']);
