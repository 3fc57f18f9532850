// Formats amounts as the server does (pages/formatting.rs): sign, no-break spaces, the currency's decimals.

const NO_BREAK = "\u00a0";

export function money(minor, { sign, decimals }) {
  const unit = 10 ** decimals;
  const amount = Math.abs(minor);
  const whole = String(Math.floor(amount / unit)).replace(/\B(?=(\d{3})+$)/g, NO_BREAK);
  const part = decimals ? "." + String(amount % unit).padStart(decimals, "0") : "";
  return (minor < 0 ? "−" : "") + sign + NO_BREAK + whole + part;
}

export function counted(count, one, many) {
  return `${count}${NO_BREAK}${count === 1 ? one : many}`;
}
