using k8s;
using k8s.Models;
using Kist.Testing;

namespace Kist.Kubernetes.Tests;

/// <summary>
/// The manifests under deploy/ are what Kubernetes' API types say, read strictly by KubernetesClient: an unknown or doubled
/// field is an error. What one object says of another is true.
/// </summary>
public sealed class DeployTests
{
    internal static readonly Dictionary<string, Type> Types = new()
    {
        ["v1/Namespace"] = typeof(V1Namespace),
        ["v1/ConfigMap"] = typeof(V1ConfigMap),
        ["v1/Service"] = typeof(V1Service),
        ["v1/ServiceAccount"] = typeof(V1ServiceAccount),
        ["apps/v1/Deployment"] = typeof(V1Deployment),
        ["apps/v1/DaemonSet"] = typeof(V1DaemonSet),
        ["node.k8s.io/v1/RuntimeClass"] = typeof(V1RuntimeClass),
        ["policy/v1/PodDisruptionBudget"] = typeof(V1PodDisruptionBudget),
        ["networking.k8s.io/v1/NetworkPolicy"] = typeof(V1NetworkPolicy),
    };

    private static string Root => Path.Combine(Evidence.RepositoryRoot, "deploy");

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Root, "*.yaml", SearchOption.AllDirectories).Where(f => !f.EndsWith("kustomization.yaml", StringComparison.Ordinal) && !f.Contains("/chart/", StringComparison.Ordinal)).Select(f => Path.GetRelativePath(Root, f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void File_ReadStrictly_IsTheApisObjects(string file) => Assert.NotEmpty(Load(file));

    [Fact]
    public void UnknownField_ReadStrictly_IsAnError() =>
        Assert.ThrowsAny<Exception>(() => KubernetesYaml.LoadAllFromString("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\nsurprise: 1", Types, strict: true));

    [Theory]
    [InlineData("runtime")]
    [InlineData("broker")]
    public void Kustomization_NamesEveryFile(string folder)
    {
        var kustomization = new ManifestObject(Assert.Single(ManifestReader.Read(Text($"{folder}/kustomization.yaml"), folder)), folder, "");
        var files = Directory.EnumerateFiles(Path.Combine(Root, folder)).Select(Path.GetFileName).Where(f => f != "kustomization.yaml");
        Assert.Equal(files.Order(StringComparer.Ordinal), kustomization.Strings("resources").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Broker_IsConfinedProbedAndSpread()
    {
        var deployment = One<V1Deployment>("broker/deployment.yaml");
        var pod = deployment.Spec.Template.Spec;
        var container = Assert.Single(pod.Containers);
        Assert.True(deployment.Spec.Replicas >= 2);
        Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
        Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
        Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
        Assert.True(pod.SecurityContext.RunAsNonRoot);
        Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
        Assert.False(pod.AutomountServiceAccountToken);
        Assert.Equal("/livez", container.LivenessProbe.HttpGet.Path);
        Assert.Equal("/readyz", container.ReadinessProbe.HttpGet.Path);
        Assert.NotNull(container.StartupProbe);
        Assert.NotNull(container.Resources.Limits["memory"]);
        Assert.NotEmpty(pod.TopologySpreadConstraints);
        Assert.All(container.VolumeMounts, m => Assert.Contains(pod.Volumes, v => v.Name == m.Name));
        // Simulated and debuggable TEEs are never accepted in production.
        Assert.DoesNotContain(container.Args, a => a.StartsWith("--allow", StringComparison.Ordinal));
    }

    [Fact]
    public void Broker_ObjectsAgreeOnLabelsPortsAndNamespace()
    {
        var deployment = One<V1Deployment>("broker/deployment.yaml");
        var labels = deployment.Spec.Template.Metadata.Labels;
        var service = One<V1Service>("broker/service.yaml");
        var budget = One<V1PodDisruptionBudget>("broker/poddisruptionbudget.yaml");
        var network = One<V1NetworkPolicy>("broker/networkpolicy.yaml");
        foreach (var selector in (IDictionary<string, string>[])[deployment.Spec.Selector.MatchLabels, service.Spec.Selector, budget.Spec.Selector.MatchLabels, network.Spec.PodSelector.MatchLabels])
            Assert.All(selector, s => Assert.Equal(s.Value, labels[s.Key]));
        var port = Assert.Single(deployment.Spec.Template.Spec.Containers[0].Ports);
        Assert.Equal(port.Name, service.Spec.Ports[0].TargetPort);
        Assert.Equal(port.Name, network.Spec.Ingress[0].Ports[0].Port);
        Assert.Equal(["Ingress", "Egress"], network.Spec.PolicyTypes);
        Assert.True(int.Parse(budget.Spec.MinAvailable, System.Globalization.CultureInfo.InvariantCulture) < deployment.Spec.Replicas);
        var name = One<V1Namespace>("broker/namespace.yaml").Metadata.Name;
        Assert.All((IMetadata<V1ObjectMeta>[])[deployment, service, budget, network, One<V1ServiceAccount>("broker/serviceaccount.yaml")], o => Assert.Equal(name, o.Metadata.NamespaceProperty));
    }

    [Fact]
    public void Runtime_ClassConfigurationAndInstallerAgree()
    {
        var runtimeClass = One<V1RuntimeClass>("runtime/runtimeclass.yaml");
        var script = One<V1ConfigMap>("runtime/installer-script.yaml");
        Assert.Contains($".runtimes.{runtimeClass.Handler}]", script.Data["kist.toml"], StringComparison.Ordinal);
        Assert.Contains($".runtimes.{One<V1RuntimeClass>("runtime/runtimeclass-enclave.yaml").Handler}.options]", script.Data["kist.toml"], StringComparison.Ordinal);
        foreach (var annotation in (string[])[GeneratedPod.InitDataAnnotation, GeneratedPod.MemoryAnnotation, GeneratedPod.ProcessorsAnnotation, "org.kist.*"])
            Assert.Contains($"\"{annotation}\"", script.Data["kist.toml"], StringComparison.Ordinal);
        Assert.StartsWith("org.kist.", GeneratedPod.ScratchAnnotation, StringComparison.Ordinal);
        var installer = One<V1DaemonSet>("runtime/installer.yaml");
        Assert.Equal(script.Metadata.Name, installer.Spec.Template.Spec.Volumes.Single(v => v.Name == "script").ConfigMap.Name);
        Assert.Contains("containerd-shim-kist-v2", script.Data["install.sh"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Example_RunsUnderAGeneratedPolicy_AndStaysValid()
    {
        var (pods, set, review) = await Pods.GenerateAsync(Text("example/web.yaml"));
        Assert.Empty(review.Remarks);
        var trial = AgentPolicyTrial.Compile(Assert.Single(pods).Policy);
        Assert.True(trial.Create(HonestCluster.CreateRequest(Assert.Single(pods[0].Containers), withOptional: true)).IsAllowed);
        var annotated = KubernetesYaml.LoadAllFromString(ManifestGenerator.Annotate(set, pods, "kist", 512, 1), Types, strict: true);
        var deployment = Assert.Single(annotated.OfType<V1Deployment>());
        Assert.Equal("kist", deployment.Spec.Template.Spec.RuntimeClassName);
        Assert.Equal(pods[0].Annotation, deployment.Spec.Template.Metadata.Annotations[GeneratedPod.InitDataAnnotation]);
    }

    [Fact]
    public async Task Installer_IsTheNodesBusiness_AndRefusedInAGuest() =>
        Assert.Contains("hostPath", await Pods.RefusalAsync(Text("runtime/installer.yaml")), StringComparison.Ordinal);

    [Fact]
    public async Task FullManifest_Annotated_IsTheApisObjects()
    {
        var text = File.ReadAllText(Path.Combine(Evidence.RepositoryRoot, "tests", "vectors", "kubernetes", "full.yaml"));
        var (pods, set, _) = await Pods.GenerateAsync(text);
        var deployments = ManifestReader.Read(ManifestGenerator.Annotate(set, pods, "kist", 512, 1), "annotated").Where(d => new ManifestObject(d, "", "").Text("kind") == "Deployment").ToList();
        var read = KubernetesYaml.LoadAllFromString(ManifestWriter.Write(deployments), Types, strict: true);
        Assert.Equal(288, Assert.IsType<V1Deployment>(Assert.Single(read)).Spec.Template.Spec.Volumes.Single(v => v.Name == "conf").ConfigMap.DefaultMode);
    }

    private static T One<T>(string file) => Assert.IsType<T>(Assert.Single(Load(file)));

    private static List<object> Load(string file) => KubernetesYaml.LoadAllFromString(Text(file), Types, strict: true);

    private static string Text(string file) => File.ReadAllText(Path.Combine(Root, file));
}
