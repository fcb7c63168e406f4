import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.http.MediaType;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

/** Tells clients that follow an order what becomes of it, until it is settled. */
class OrderEvents implements SmartLifecycle {
    private static final long LONGEST_MS = 60_000;

    private final ConcurrentHashMap<String, List<Follower>> followers = new ConcurrentHashMap<>();
    private final AsyncTaskExecutor executor;
    private volatile boolean running;

    OrderEvents(AsyncTaskExecutor applicationTaskExecutor) {
        executor = applicationTaskExecutor;
    }

    /** The status is read once whoever settles the order knows of the follower: nothing is missed. */
    SseEmitter follow(String order, Supplier<String> status) {
        var follower = new Follower();
        followers.merge(order, List.of(follower), OrderEvents::both);
        Runnable left = () -> followers.computeIfPresent(order, (id, all) -> without(all, follower));
        follower.emitter.onCompletion(left);
        try {
            follower.tell(status.get());
        } catch (RuntimeException failed) {
            left.run();
            throw failed;
        }
        return follower.emitter;
    }

    /** After the transaction's commit. */
    void settled(String order, String status) {
        var waiting = followers.remove(order);
        if (waiting != null) {
            executor.execute(() -> waiting.forEach(follower -> follower.tell(status)));
        }
    }

    private static List<Follower> both(List<Follower> some, List<Follower> others) {
        var all = new ArrayList<>(some);
        all.addAll(others);
        return all;
    }

    private static List<Follower> without(List<Follower> all, Follower one) {
        var rest = all.stream().filter(other -> other != one).toList();
        return rest.isEmpty() ? null : rest;
    }

    private static class Follower {
        final SseEmitter emitter = new SseEmitter(LONGEST_MS);
        private boolean over;

        synchronized void tell(String status) {
            if (over) {
                return;
            }
            over = !status.equals("PENDING");
            try {
                emitter.send("{\"status\":\"" + status + "\"}", MediaType.APPLICATION_JSON);
                if (over) {
                    emitter.complete();
                }
            } catch (IOException gone) {
                over = true; // the container completes the emitter
            }
        }

        synchronized void end() {
            over = true;
            emitter.complete();
        }
    }

    @Override
    public void start() {
        running = true;
    }

    /** First of all: an end of the JVM waits for open requests. */
    @Override
    public void stop() {
        running = false;
        followers.values().forEach(waiting -> waiting.forEach(Follower::end));
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
