import { conform } from '../lib/conform.mjs';

await conform('gobinance', ['market', 'streams', 'orders', 'lists', 'user', 'errors']);
