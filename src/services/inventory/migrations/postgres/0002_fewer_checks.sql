-- A reservation and its items are written by one statement; the key's check locked the reservation's row once more for each
-- of them.
ALTER TABLE reservation_item DROP CONSTRAINT reservation_item_order_id_fkey;
