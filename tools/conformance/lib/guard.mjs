// The guard keeps this process on loopback. It is loaded before anything else (NODE_OPTIONS --import), so that no
// client can have taken a function from under it. Whatever is not loopback is refused and counted; a case during which
// the count rose has failed, whatever the client made of the refusal.
//
// It sits at three heights: name lookups, net.Socket and dgram as JavaScript sees them, and the handles below both
// (tcp_wrap, udp_wrap), where an address is a number and every way out ends.
import dgram from 'node:dgram';
import dns from 'node:dns';
import net from 'node:net';

const seen = (globalThis[Symbol.for('riposte.guard')] ??= { blocked: [] });

// blocked are the refused attempts so far, oldest first.
export const blocked = () => seen.blocked;

export function loopback(host) {
  const h = String(host).replace(/^\[|\]$/g, '').toLowerCase();
  return h === 'localhost' || h.endsWith('.localhost') || h === '::1' || /^127\.\d+\.\d+\.\d+$/.test(h) || /^::ffff:127\./.test(h);
}

function refuse(what) {
  seen.blocked.push(what);
  const e = new Error(`guard: ${what} is not loopback`);
  e.code = 'ENOTLOOPBACK';
  return e;
}

if (!seen.on) {
  seen.on = true;

  // Names of loopback have its address without a question to anybody (RFC 6761).
  const answer = (all) => (all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1');
  const lookup = dns.lookup;
  dns.lookup = function (host, options, callback) {
    if (typeof options === 'function') [options, callback] = [{}, options];
    if (net.isIP(String(host))) return lookup.call(dns, host, options, callback);
    const all = typeof options === 'object' && options?.all;
    process.nextTick(() => (loopback(host) ? callback(null, answer(all), 4) : callback(refuse(`lookup of ${host}`))));
  };
  dns.promises.lookup = async (host, options) => {
    if (!loopback(host)) throw refuse(`lookup of ${host}`);
    return options?.all ? answer(true) : { address: '127.0.0.1', family: 4 };
  };
  for (const of of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
    for (const name of Object.getOwnPropertyNames(of)) {
      if (!/^(resolve|reverse$|lookupService$)/.test(name) || typeof of[name] !== 'function') continue;
      of[name] = (host, ...rest) => {
        const e = refuse(`${name} of ${host}`);
        const callback = rest.at(-1);
        if (typeof callback === 'function') return process.nextTick(callback, e);
        return Promise.reject(e);
      };
    }
  }

  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    // net.connect hands its arguments on as one array, read or not.
    const first = Array.isArray(args[0]) ? args[0][0] : args[0];
    const options = typeof first === 'object' && first !== null ? first : { port: first, host: typeof args[1] === 'string' ? args[1] : undefined };
    const host = options.host ?? 'localhost';
    if (options.path === undefined && !loopback(host)) {
      const e = refuse(`connect to ${host}:${options.port}`);
      process.nextTick(() => this.destroy(e));
      return this;
    }
    return connect.apply(this, args);
  };

  for (const name of ['send', 'connect']) {
    const real = dgram.Socket.prototype[name];
    dgram.Socket.prototype[name] = function (...args) {
      const host = args.find((a, i) => i > 0 && typeof a === 'string');
      if (host !== undefined && !loopback(host)) throw refuse(`udp ${name} to ${host}`);
      return real.apply(this, args);
    };
  }

  for (const [binding, kind, names] of [['tcp_wrap', 'TCP', ['connect', 'connect6']], ['udp_wrap', 'UDP', ['connect', 'connect6', 'send', 'send6']]]) {
    const proto = process.binding(binding)[kind]?.prototype;
    for (const name of names) {
      const real = proto?.[name];
      if (!real) continue;
      proto[name] = function (...args) {
        const host = args.find((a) => typeof a === 'string' && net.isIP(a));
        if (host !== undefined && !loopback(host)) {
          refuse(`${kind} ${name} to ${host}`);
          return -1; // EPERM
        }
        return real.apply(this, args);
      };
    }
  }
}
