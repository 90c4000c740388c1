namespace Kist.EndToEnd;

/// <summary>
/// A pod of a manifest, started in the background with <c>kist run -d -f</c>: an init container, a web server and a program
/// that reads its input. The tests of a class share it.
/// </summary>
public sealed class SharedPod(Installation installation) : IAsyncLifetime
{
    public const string Name = "shop", Secret = "the secret of web";
    public const string Fetch = "wget -qO- http://127.0.0.1:8006/cdh/resource/default/shop/web";

    private readonly string _folder = Directory.CreateTempSubdirectory("kist-e2e-pod-").FullName;

    public Installation Installation => installation;

    /// <summary>The address that leads to the web server.</summary>
    public string Published { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (installation.Missing is not null)
            return;
        await File.WriteAllTextAsync(At("secret"), Secret, TestContext.Current.CancellationToken);
        await installation.MustAsync("secret", "put", "kbs:///default/shop/web", At("secret"));
        await File.WriteAllTextAsync(At("pod.yaml"), Manifest, TestContext.Current.CancellationToken);
        await installation.MustAsync(
            "run", "-d", "--name", Name, "-f", At("pod.yaml"), "-p", "8080", "--allow-port", "8081", "--allow-resource", "web=kbs:///default/shop/web",
            "--allow-exec", "web:cat /etc/web/web.conf", "--allow-exec", Fetch, "--allow-exec", "sh -c 'echo out; echo err >&2; exit 9'");
        using var list = System.Text.Json.JsonDocument.Parse(await installation.MustAsync("ps", "--json"));
        Published = list.RootElement.EnumerateArray().Single(c => c.GetProperty("name").GetString() == Name).GetProperty("ports")[0].GetProperty("host").GetString()!;
    }

    public async ValueTask DisposeAsync()
    {
        if (installation.Missing is null)
            await installation.Kist.RunAsync("rm", "-f", Name);
        Directory.Delete(_folder, recursive: true);
    }

    private string At(string name) => Path.Combine(_folder, name);

    private string Manifest =>
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: settings}
        data: {web.conf: "listen 8080"}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: shop}
        spec:
          restartPolicy: Never
          initContainers:
          - name: setup
            image: IMAGE
            command: [sh, -c, "echo prepared > /shared/x; echo setup done"]
            volumeMounts: [{name: shared, mountPath: /shared}]
          containers:
          - name: web
            image: IMAGE
            command: [sh, -c, "cat /shared/x; hostname; busybox mkdir /tmp/www; echo page > /tmp/www/index.html; exec busybox httpd -f -p 127.0.0.1:8080 -h /tmp/www"]
            volumeMounts: [{name: shared, mountPath: /shared}, {name: conf, mountPath: /etc/web}]
          - name: db
            image: IMAGE
            command: [sh, -c, "while read line; do echo db got $line; done; sleep 1000"]
            stdin: true
          volumes:
          - {name: shared, emptyDir: {}}
          - {name: conf, configMap: {name: settings}}
        """.Replace("IMAGE", installation.Image, StringComparison.Ordinal);
}
