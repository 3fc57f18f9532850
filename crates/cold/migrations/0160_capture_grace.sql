-- Where a provider cannot take a charge back: how many microseconds after pay_by a capture may still come. Null: it can.
alter table payment_attempts add column capture_grace bigint;
