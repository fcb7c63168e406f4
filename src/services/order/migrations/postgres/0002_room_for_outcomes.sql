-- Nearly every order is changed once, soon after it was placed: with room beside it its indexes stay as they are.
ALTER TABLE orders SET (fillfactor = 45);
