-- Row security asks for whom a transaction is once per statement instead of once per row.
{secured_once}
