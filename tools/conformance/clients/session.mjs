// What a client's adapter offers to the cases. rest(op) and ws(op) are one call each, named as the WS API names it: it
// takes the venue's own parameter names and gives the client's parsed answer in the venue's own field names.
import { NotOffered } from '../lib/cases.mjs';

export class Session {
  constructor(rest, ws) {
    this.restCalls = rest;
    this.wsCalls = ws;
  }

  rest(op) {
    if (!this.restCalls?.[op]) throw new NotOffered(`no call for ${op} by REST`);
    return this.restCalls[op];
  }

  ws(op) {
    if (!this.wsCalls?.[op]) throw new NotOffered(`no call for ${op} by the WS API`);
    return this.wsCalls[op];
  }
}
