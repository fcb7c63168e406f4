import java.math.BigDecimal;
import java.util.Map;

/** What of catalog.yaml the benchmark orders: two products of which there is plenty, one that is sold out. */
interface Catalogue {
    record Product(BigDecimal price, long stock) {}

    Map<String, Product> PRODUCTS = Map.of(
            "LOAD-1", new Product(new BigDecimal("1"), 10_000_000),
            "LOAD-2", new Product(new BigDecimal("2.49"), 10_000_000),
            "PROD-404", new Product(new BigDecimal("12"), 0));
}
