namespace Kist.Kubernetes;

/// <summary>The fields of core/v1 that make up a pod, and what is done with each.</summary>
static class PodFields
{
    private const string Host = "the guest is the pod: it has no namespace of the host's to share";
    private const string Stopgap = "the guest's kernel is the pod's own and its policy does not cover this";

    public static FieldTable Pod { get; } = new(
        Read:
        [
            "containers", "initContainers", "volumes", "hostname", "subdomain", "securityContext", "automountServiceAccountToken", "enableServiceLinks",
            "serviceAccountName", "serviceAccount", "runtimeClassName",
        ],
        Harmless:
        [
            "restartPolicy", "terminationGracePeriodSeconds", "activeDeadlineSeconds", "nodeSelector", "nodeName", "affinity", "schedulerName", "tolerations",
            "priorityClassName", "priority", "preemptionPolicy", "overhead", "topologySpreadConstraints", "imagePullSecrets", "schedulingGates",
            "readinessGates", "os", "resources",
        ],
        Refused: new Dictionary<string, string>
        {
            ["hostNetwork"] = Host,
            ["hostPID"] = Host,
            ["hostIPC"] = Host,
            ["hostUsers"] = Host,
            ["shareProcessNamespace"] = "containers of a pod do not see each other's processes",
            ["setHostnameAsFQDN"] = "the cluster's domain is not known before it runs",
            ["ephemeralContainers"] = "a container that is added later is in no policy",
            ["resourceClaims"] = "devices of the host cannot be handed in",
        },
        Warned: new Dictionary<string, string>
        {
            ["dnsPolicy"] = "names are resolved by whom the host names: do not trust addresses, authenticate peers",
            ["dnsConfig"] = "names are resolved by whom the host names: do not trust addresses, authenticate peers",
            ["hostAliases"] = "the guest writes its own /etc/hosts; these names are not in it",
        });

    public static FieldTable PodSecurity { get; } = new(
        Read: ["runAsUser", "runAsGroup", "runAsNonRoot", "seccompProfile"],
        Harmless: ["supplementalGroupsPolicy"],
        Refused: new Dictionary<string, string> { ["sysctls"] = Stopgap, ["windowsOptions"] = "the guest is Linux" },
        Warned: new Dictionary<string, string>
        {
            ["fsGroup"] = "volumes are not given to this group; scratch volumes can be written by everybody in the pod",
            ["fsGroupChangePolicy"] = "has no effect",
            ["supplementalGroups"] = "additional groups are those of the image's /etc/group",
            ["seLinuxOptions"] = "has no effect: the boundary is the virtual machine",
            ["seLinuxChangePolicy"] = "has no effect",
            ["appArmorProfile"] = "has no effect: the boundary is the virtual machine",
        });

    public static FieldTable ContainerSecurity { get; } = new(
        Read: ["runAsUser", "runAsGroup", "runAsNonRoot", "readOnlyRootFilesystem", "capabilities", "seccompProfile", "allowPrivilegeEscalation"],
        Harmless: [],
        Refused: new Dictionary<string, string>
        {
            ["privileged"] = "a privileged container could take over the agent that judges it",
            ["procMount"] = "masked paths of /proc stay masked",
            ["windowsOptions"] = "the guest is Linux",
        },
        Warned: new Dictionary<string, string>
        {
            ["seLinuxOptions"] = "has no effect: the boundary is the virtual machine",
            ["appArmorProfile"] = "has no effect: the boundary is the virtual machine",
        });

    public static FieldTable Container { get; } = new(
        Read:
        [
            "name", "image", "command", "args", "workingDir", "env", "envFrom", "volumeMounts", "securityContext", "stdin", "tty", "restartPolicy",
            "livenessProbe", "readinessProbe", "startupProbe", "lifecycle",
        ],
        Harmless: ["ports", "resources", "resizePolicy", "terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy", "stdinOnce"],
        Refused: new Dictionary<string, string> { ["volumeDevices"] = "devices of the host are not handed in", ["restartPolicyRules"] = "is not known here" },
        Warned: new Dictionary<string, string>());
}
