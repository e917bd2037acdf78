import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/** Serves MongoDB's wire protocol from memory, until standard input ends: so it never outlives the test that started it. */
public final class StandIn {
    /** The driver speaks to servers of wire version 9 and later; mongo-java-server calls itself 8 at most. */
    private static final class Version implements MongoVersion {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(5, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 13;
        }
    }

    public static void main(String[] args) throws Exception {
        MongoServer server = new MongoServer(new MemoryBackend().version(new Version()));
        server.bind("127.0.0.1", 0);
        System.out.println(server.getLocalAddress().getPort());
        System.out.flush();
        while (System.in.read() >= 0) {
            // Nothing is said: only the end counts.
        }
        server.shutdownNow();
        System.exit(0);
    }
}
