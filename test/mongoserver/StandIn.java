package standin;

import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.backend.Assert;
import java.util.Arrays;
import java.util.List;
import javassist.ClassPool;
import javassist.CtClass;
import javassist.expr.ExprEditor;
import javassist.expr.MethodCall;

import static java.nio.charset.StandardCharsets.UTF_8;

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

    /** Orders text as MongoDB does, by its bytes. */
    public static int compare(String a, String b) {
        return Arrays.compareUnsigned(a.getBytes(UTF_8), b.getBytes(UTF_8));
    }

    /** mongo-java-server orders text by UTF-16, where what lies above U+FFFF comes before U+E000. */
    private static void orderByBytes() throws Exception {
        CtClass comparator = ClassPool.getDefault().get("de.bwaldvogel.mongo.backend.ValueComparator");
        comparator.instrument(new ExprEditor() {
            @Override
            public void edit(MethodCall call) throws javassist.CannotCompileException {
                if (call.getClassName().equals("java.lang.String") && call.getMethodName().equals("compareTo")) {
                    call.replace("{ $_ = standin.StandIn.compare($0, (String) $1); }");
                }
            }
        });
        comparator.toClass(Assert.class);
    }

    public static void main(String[] args) throws Exception {
        orderByBytes();
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
