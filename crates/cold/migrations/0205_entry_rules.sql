-- How often each ticket of an event admits. A program that does not know of it lets everybody in once, as before.
alter table events add column entry_rule text not null default 'single' check (entry_rule in ('single', 'reentry'));
